"""Statistics of a few seeds: what can be said of a method, and how surely.

Scores come in *strata*, one array of runs for each task; a bootstrap resamples runs within
their task, so that every resample has as many runs of each as there were.

Source: Agarwal et al. 2021, *Deep Reinforcement Learning at the Edge of the Statistical
Precipice*, and their library rliable, which the tests compare with.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64


TRIMMED_SHARE = 0.25
"""Share of the runs that the interquartile mean leaves out at each end."""
CONFIDENCE_PERCENT = 95.0
NUM_RESAMPLES = 5000
MOST_POINTS = 24
"""Points of a curve whose runs were not evaluated at the same places."""

Strata = Sequence[Float64[np.ndarray, "_ ..."]]
"""The scores of each task's runs; a run may have a whole row of them."""
Interval = tuple[float, float]


def interquartile_mean(
    scores: Float64[np.ndarray, "*rows runs"],
) -> Float64[np.ndarray, "*rows"]:
    """The mean of the middle half of the runs; with 3 runs or fewer it is their mean.

    One run that is NaN makes it NaN: sorted, that run is the last, and trimming would hide it.
    """
    num = scores.shape[-1]
    num_cut = int(TRIMMED_SHARE * num)
    middle = np.sort(scores, axis=-1)[..., num_cut : num - num_cut]
    return np.where(np.isnan(scores).any(axis=-1), np.nan, middle.mean(axis=-1))


def resampled(
    strata: Strata, num_resamples: int, *, rng: np.random.Generator
) -> list[Float64[np.ndarray, "resamples _ ..."]]:
    """Each stratum drawn from itself with replacement, so many times."""
    return [
        stratum[rng.integers(len(stratum), size=(num_resamples, len(stratum)))]
        for stratum in strata
    ]


def interval(estimates: Float64[np.ndarray, " resamples"]) -> Interval:
    """The middle 95 % of the estimates."""
    tail = (100 - CONFIDENCE_PERCENT) / 2
    low, high = np.percentile(estimates, [tail, 100 - tail])
    return float(low), float(high)


def iqm_and_interval(
    strata: Strata, *, rng: np.random.Generator, num_resamples: int = NUM_RESAMPLES
) -> tuple[float, Interval]:
    """The mean over tasks of their interquartile means, and its stratified bootstrap interval.

    Every task counts once, however many runs it has.

    Differs: rliable trims the runs of all tasks together, so that with few runs a task that
    failed is trimmed away. On one task both are the same.
    """
    estimate = np.mean([interquartile_mean(stratum) for stratum in strata])
    draws = resampled(strata, num_resamples, rng=rng)
    return float(estimate), interval(np.mean([interquartile_mean(d) for d in draws], axis=0))


def better_share(
    ours: Float64[np.ndarray, "*rows ours"], theirs: Float64[np.ndarray, "*rows theirs"]
) -> Float64[np.ndarray, "*rows"]:
    """The share of pairs in which ours is lower; a tie counts as half (Mann and Whitney).

    NaN if a run is: it is neither lower nor higher than any.
    """
    a, b = ours[..., :, None], theirs[..., None, :]
    wins = np.where(np.isnan(a) | np.isnan(b), np.nan, (a < b) + 0.5 * (a == b))
    return np.asarray(wins.mean(axis=(-2, -1)))


def probability_of_improvement(
    ours: Strata,
    theirs: Strata,
    *,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
) -> tuple[float, Interval]:
    """How likely a run of ours ends lower than one of theirs, averaged over tasks.

    Lower is better: scores are distances. Returns the estimate and its interval.
    """
    estimate = np.mean([better_share(a, b) for a, b in zip(ours, theirs, strict=True)])
    draws = zip(
        resampled(ours, num_resamples, rng=rng),
        resampled(theirs, num_resamples, rng=rng),
        strict=True,
    )
    estimates = np.mean([better_share(a, b) for a, b in draws], axis=0)
    return float(estimate), interval(estimates)


def common_points(
    places: Sequence[Float64[np.ndarray, " _"]],
) -> Float64[np.ndarray, " points"]:
    """Where curves can be averaged: inside all of them, at their own places if those agree."""
    first, last = max(p[0] for p in places), min(p[-1] for p in places)
    own = np.unique(np.concatenate(list(places)))
    inside = own[(own >= first) & (own <= last)]
    if 0 < len(inside) <= MOST_POINTS:
        return inside
    return np.linspace(first, max(first, last), MOST_POINTS)
