"""Summaries of an evaluation: medians, means and std of distances, and the no-op policy's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from rig.units import metric_of


Distances = Mapping[str, Float[np.ndarray, " G"]]
"""Of each object from its goal, G rows each; NaN where it is absent."""
HAND = "hand_m"
TOTAL = "total_m"
LEAST_LEFT = 1e-9
"""Keeps ratios finite where the no-op policy is at the goal."""


def sum_up(distances: Distances, do_nothing: Distances) -> dict[str, dict[str, float]]:
    """Return each distance's statistics over the goals in which the object is present."""
    return {
        name: {
            "median": float(np.median(values[is_there])),
            "mean": float(np.mean(values[is_there])),
            "std": float(np.std(values[is_there])),
            "do_nothing_median": float(np.median(do_nothing[name][is_there])),
            "do_nothing_mean": float(np.mean(do_nothing[name][is_there])),
        }
        for name, values in distances.items()
        if (is_there := np.isfinite(values)).any()
    }


def as_metrics(figures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return the medians as metrics, each next to the no-op policy's."""
    metrics = {}
    for name, values in figures.items():
        metrics[f"eval/{metric_of(name)}"] = values["median"]
        metrics[f"eval/do_nothing_{metric_of(name)}"] = values["do_nothing_median"]
    return metrics


def worst_first(distances: Distances, do_nothing: Distances) -> Int[np.ndarray, " G"]:
    """Return the goals ordered from the worst to the best.

    Each object's distance counts relative to the no-op policy's mean; absent objects do not
    count.
    """
    shares = [
        values / max(float(np.nanmean(do_nothing[name])), LEAST_LEFT)
        for name, values in distances.items()
        if name != TOTAL and np.isfinite(values).any()
    ]
    return np.argsort(-np.nansum(shares, axis=0), kind="stable")


def by_num_objects(distances: Distances, do_nothing: Distances) -> dict[str, Any]:
    """Return statistics for each number of objects besides the hand; empty if it never varies.

    ``object_m`` is the mean over the objects of a goal, so that different numbers of them can
    be compared.
    """
    objects = [name for name in distances if name not in (HAND, TOTAL)]
    if HAND not in distances:
        return {}
    present = np.array([np.isfinite(distances[name]) for name in objects])
    if present.all():
        return {}
    numbers = present.sum(axis=0)
    return {
        str(num): {"num_episodes": int((numbers == num).sum())}
        | sum_up(
            per_object(distances, objects, numbers == num),
            per_object(do_nothing, objects, numbers == num),
        )
        for num in sorted(set(numbers.tolist()))
    }


def per_object(
    distances: Distances, objects: list[str], rows: Bool[np.ndarray, " G"]
) -> dict[str, np.ndarray]:
    """Return the hand's distance, and the mean of the objects', in some rows."""
    found = np.array([distances[name][rows] for name in objects])
    num = np.isfinite(found).sum(axis=0)
    mean = np.where(num > 0, np.nansum(found, axis=0) / num.clip(1), np.nan)
    return {HAND: distances[HAND][rows], "object_m": mean}
