"""Statistics of a few seeds: an estimate for a method, and its bootstrap 95 % interval.

Scores come in strata, one array of runs for each task. The bootstrap resamples runs within
their task.

Source: Agarwal et al. 2021, *Deep Reinforcement Learning at the Edge of the Statistical
Precipice*, and their library rliable, which a test compares with.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy import stats


TRIMMED_SHARE = 0.25
"""Share of the runs that the interquartile mean leaves out at each end."""
NUM_RESAMPLES = 5000
MAX_POINTS = 24
"""Points of a curve whose runs were evaluated at different steps."""
Scores = Float64[np.ndarray, "*_"]
Interval = tuple[float, float]


def interquartile_mean(scores: Scores, axis: int = -1) -> Any:
    """Return the mean of the middle half of the runs; of 3 runs or fewer, the mean of all.

    If any run is NaN, so is the result.
    """
    return stats.trim_mean(scores, TRIMMED_SHARE, axis=axis)


def iqm_over_tasks(*strata: Scores, axis: int = -1) -> Any:
    """Return the interquartile mean of each task, averaged over tasks.

    Every task counts once. rliable trims the runs of all tasks together instead, so with few
    runs it trims away a task that failed. On one task both are the same.
    """
    return np.mean([interquartile_mean(stratum, axis) for stratum in strata], axis=0)


def probability_of_improvement(ours: Scores, theirs: Scores, axis: int = -1) -> Any:
    """Return the probability that a run of ours ends lower than one of theirs.

    A tie counts as half (the U statistic of Mann and Whitney). If any run is NaN, so is the
    result.
    """
    u = stats.mannwhitneyu(theirs, ours, axis=axis, method="asymptotic").statistic
    return u / (ours.shape[axis] * theirs.shape[axis])


def bootstrap(
    statistic: Callable[..., Any],
    *strata: Scores,
    rng: np.random.Generator,
    num_resamples: int = NUM_RESAMPLES,
    axis: int = -1,
) -> tuple[Scores, Scores]:
    """Return the ends of a statistic's stratified percentile bootstrap 95 % interval."""
    # SciPy refuses a stratum of one run; of two equal runs it can only draw the same.
    pairs = [np.repeat(s, 2, axis) if s.shape[axis] == 1 else s for s in strata]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # a NaN gives NaN ends
        found = stats.bootstrap(
            pairs,
            statistic,
            n_resamples=num_resamples,
            vectorized=True,
            axis=axis,
            method="percentile",
            rng=rng,
        ).confidence_interval
    return np.asarray(found.low), np.asarray(found.high)


def common_points(steps: Sequence[Float64[np.ndarray, " _"]]) -> Float64[np.ndarray, " points"]:
    """Return the steps at which curves can be averaged, which lie inside all of them.

    They are the curves' own steps if these are few, else evenly spaced.
    """
    first, last = max(s[0] for s in steps), min(s[-1] for s in steps)
    own = np.unique(np.concatenate(list(steps)))
    inside = own[(own >= first) & (own <= last)]
    if 0 < len(inside) <= MAX_POINTS:
        return inside
    return np.linspace(first, max(first, last), MAX_POINTS)
