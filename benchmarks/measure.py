"""Timing: the best of several rounds; what is compared runs in turns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time


MS_PER_S = 1000


@dataclass(frozen=True, kw_only=True)
class Spent:
    """The times of one round."""

    wall_s: float
    """Wall-clock time."""
    core_s: float
    """Time of all cores together, which other programs on the machine change least."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The times of several rounds of the same work."""

    best_s: float
    median_s: float
    best_core_s: float


Measure = Callable[[], Spent]


def spend(call: Callable[[], object]) -> Spent:
    """Make one call and time it."""
    start_s, core_start_s = perf_counter(), process_time()
    call()
    return Spent(wall_s=perf_counter() - start_s, core_s=process_time() - core_start_s)


def alternate(measures: Mapping[str, Measure], num_rounds: int) -> dict[str, Timing]:
    """Time all of them in turns, round after round; a first round does not count."""
    for measure in measures.values():
        measure()
    rounds = [
        {name: measure() for name, measure in measures.items()} for _ in range(num_rounds)
    ]
    return {name: summary([spent[name] for spent in rounds]) for name in measures}


def timing(call: Callable[[], object], num_rounds: int) -> Timing:
    """Time a single call."""
    return alternate({"call": lambda: spend(call)}, num_rounds)["call"]


def summary(rounds: list[Spent]) -> Timing:
    """Return the best and the median of the rounds."""
    return Timing(
        best_s=min(spent.wall_s for spent in rounds),
        median_s=median(spent.wall_s for spent in rounds),
        best_core_s=min(spent.core_s for spent in rounds),
    )


def speed_row(timing: Timing, num: int, unit: str) -> dict[str, float]:
    """Return the columns of a speed, for rounds of ``num`` units each."""
    return {
        f"{unit}/s": num / timing.best_s,
        "ms each": MS_PER_S * timing.best_s / num,
        "median ms": MS_PER_S * timing.median_s / num,
        "core ms": MS_PER_S * timing.best_core_s / num,
    }
