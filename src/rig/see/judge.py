"""Judge what latents hold of each object whose true place is known. Evaluation only.

An object is one or more points of two coordinates each; with an odd number of columns it is one
point. True distance is the mean over an object's points.

The place of an object is read off the latents of the second half of the images, given latents
and states of the first half, in two ways: the mean over the nearest neighbours, and a quadratic
in the latents. The way with the smaller error counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from rig.representation.probe import fit_quadratic, nearest
from rig.see.data_set import Truth


NUM_PAIRS = 6000
"""Random pairs of images whose distances are correlated."""
PAIRS_SEED = 0
"""Always the same pairs, so that two representations are compared on them."""
RIDGE = 1e-4
"""Penalty on the quadratic's weights, per image."""
MAX_NEAR_STATES = 3000
"""Images whose pairs are searched for those near each other."""
BLOCK = 50
"""Images whose pairs with all others are computed at once."""
LEAST_NEAR_PAIRS = 100
"""With fewer, a rank correlation says little."""

Latents = Float[np.ndarray, "N latent"]
States = Float[np.ndarray, "N state"]
Distances = Float[np.ndarray, " N"]
Rows = Int[np.ndarray, " pairs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What latents hold of one object."""

    error: float
    """Median distance of the place read off from the true one, in the unit of the states."""
    share: float | None
    """That error over the error of always saying the median place; None if that has none."""
    corr: float
    """Correlation of weighted latent distance with true distance, over random pairs."""
    near_rank_corr: float | None
    """Rank correlation of the two over pairs in which every object is near; None if these are
    few."""


def judge(
    latents: Latents, weight: Float[np.ndarray, " latent"], truth: Truth, near: float
) -> dict[str, Judgement]:
    """Judge latents by true states.

    Args:
        latents: Of the images, in the order of the states.
        weight: Of each latent in distances.
        truth: States and objects.
        near: True distance under which an object is near, in the unit of the states.
    """
    half = len(latents) // 2
    states, known, queries = truth.states, latents[:half], latents[half:]
    readings = (
        states[:half][nearest(queries, known)].mean(axis=1),
        fit_quadratic(queries, known, states[:half], RIDGE),
    )
    blind = np.broadcast_to(np.median(states[:half], axis=0), states[half:].shape)
    first, second = np.random.default_rng(PAIRS_SEED).integers(
        len(latents), size=(2, NUM_PAIRS)
    )
    weighted = latents * weight
    in_latent = lengths(weighted[first] - weighted[second])
    near_first, near_second = near_pairs(truth, near)
    near_in_latent = lengths(weighted[near_first] - weighted[near_second])
    judged = {}
    for name, columns in truth.objects.items():
        errors = [np.median(distances(each, states[half:], columns)) for each in readings]
        blind_error = np.median(distances(blind, states[half:], columns))
        near_in_truth = distances(states[near_first], states[near_second], columns)
        judged[name] = Judgement(
            error=float(min(errors)),
            share=float(min(errors) / blind_error) if blind_error > 0 else None,
            corr=correlation(in_latent, distances(states[first], states[second], columns)),
            near_rank_corr=rank_correlation(near_in_latent, near_in_truth),
        )
    return judged


def near_pairs(truth: Truth, near: float) -> tuple[Rows, Rows]:
    """Return the rows of pairs of images in which every object is near its other place.

    With the other objects far apart, latent distance would say nothing about a small motion.
    """
    states = truth.states[:MAX_NEAR_STATES]
    found = []
    for start in range(0, len(states), BLOCK):
        first, second = np.divmod(
            np.arange(min(BLOCK, len(states) - start) * len(states)), len(states)
        )
        first += start
        first, second = first[first < second], second[first < second]
        for columns in truth.objects.values():
            is_near = distances(states[first], states[second], columns) < near
            first, second = first[is_near], second[is_near]
        found.append((first, second))
    return np.concatenate([each[0] for each in found]), np.concatenate(
        [each[1] for each in found]
    )


def distances(first: States, second: States, columns: list[int]) -> Distances:
    """Return the true distance of an object between states, the mean over its points."""
    size = 2 if len(columns) % 2 == 0 else len(columns)
    points = (first - second)[:, columns].reshape(len(first), len(columns) // size, size)
    return np.asarray(np.linalg.norm(points, axis=2).mean(axis=1))


def lengths(rows: Latents) -> Distances:
    """Return the Euclidean length of each row."""
    return np.asarray(np.linalg.norm(rows, axis=1))


def correlation(first: Distances, second: Distances) -> float:
    """Return the correlation in [-1, 1]; 0 if one of the two does not vary."""
    if min(np.ptp(first), np.ptp(second)) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def rank_correlation(first: Distances, second: Distances) -> float | None:
    """Return the correlation of the ranks; None for few pairs."""
    if len(first) < LEAST_NEAR_PAIRS:
        return None
    return correlation(rankdata(first), rankdata(second))


def as_json(judged: Mapping[str, Judgement]) -> dict[str, dict[str, float | None]]:
    """Return errors, shares and correlations as rounded numbers."""
    return {
        name: {
            "error": round(each.error, 4),
            "share": None if each.share is None else round(each.share, 3),
            "corr": round(each.corr, 2),
        }
        for name, each in judged.items()
    }
