"""Comparing methods: a number with an interval for each, task by task and over all tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from rig.compare.result import STEPS, TRAINING_S, Result
from rig.compare.statistics import (
    Interval,
    common_points,
    interquartile_mean,
    interval,
    iqm_and_interval,
    probability_of_improvement,
    resampled,
)
from rig.errors import RunError, suggest
from rig.units import UNITS, Unit


BOOTSTRAP_SEED = 0
"""Draws every bootstrap, so that the same results give the same page."""
NUM_CURVE_RESAMPLES = 2000
EXTRA_DECIMALS = 1
"""Means over seeds are told more finely than one distance is."""
S_PER_MINUTE = 60
LEAST_SEEDS = 2
"""One run against one says nothing of how often."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One method on one task: how far one thing was from its goal at the end."""

    task: str
    thing: str
    unit: str
    """As it is shown: cm, or rad."""
    decimals: int
    method: str
    num_seeds: int
    iqm: float
    low: float
    high: float
    """The ends of the interquartile mean's 95 % interval."""
    mean: float
    worst: float
    do_nothing: float
    better: float | None
    """How likely a run ends lower than one of the reference method; None for itself."""
    better_low: float | None
    better_high: float | None
    num_env_steps: int
    training_minutes: float
    """The median over seeds."""
    run_ids: tuple[str, ...]

    def show(self, value: float) -> str:
        """One of its distances as text, without the unit."""
        return f"{value:.{self.decimals}f}"


@dataclass(frozen=True, kw_only=True)
class Overall:
    """One method over all tasks."""

    method: str
    num_seeds: Mapping[str, int]
    """Of each task."""
    share_left: float
    """Of the way: each task's interquartile mean over seeds, averaged over tasks."""
    low: float
    high: float
    """The ends of its 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """One method's curve: the interquartile mean over seeds, and its interval."""

    method: str
    steps: Float64[np.ndarray, " points"]
    minutes: Float64[np.ndarray, " points"]
    y: Float64[np.ndarray, " points"]
    low: Float64[np.ndarray, " points"]
    high: Float64[np.ndarray, " points"]


class Comparison:
    """Results side by side."""

    def __init__(self, results: Sequence[Result], reference: str | None = None) -> None:
        """Takes the results; the first method is the reference, unless one is named.

        Raises:
            RunError: No method has that name, or runs of a task do not measure the same.
        """
        self.results = results
        self.methods = list(dict.fromkeys(result.method for result in results))
        self.tasks = list(dict.fromkeys(result.task for result in results))
        if reference is not None and reference not in self.methods:
            hint = suggest(reference, self.methods)
            raise RunError(f"no method is called {reference!r}: {hint}")
        self.reference = reference or self.methods[0]
        for result in results:
            self._check_things(result)

    def _check_things(self, result: Result) -> None:
        first = self._first(result.task)
        if result.things != first.things:
            both = " and ".join(f"{run.id} {named(run.things)}" for run in (first, result))
            raise RunError(
                f"runs on {result.task} do not measure the same, {both}: compare them apart"
            )

    def _first(self, task: str) -> Result:
        return next(result for result in self.results if result.task == task)

    def things(self, task: str) -> dict[str, str]:
        """What was measured on a task, and its unit."""
        return self._first(task).things

    def unit(self, task: str, thing: str) -> Unit:
        """How a thing's distances are shown."""
        return UNITS[self.things(task)[thing]]

    def main_things(self, task: str) -> list[str]:
        """What the task is about: all that is no hand, or the hand if there is nothing else."""
        return self._first(task).main_things

    def of(self, task: str, method: str) -> list[Result]:
        """The runs of a method on a task."""
        return [r for r in self.results if (r.task, r.method) == (task, method)]

    def finals(self, task: str, method: str, thing: str) -> Float64[np.ndarray, " seeds"]:
        """The last distance of each seed, as shown."""
        scale = self.unit(task, thing).scale
        return scale * np.array([result.final(thing) for result in self.of(task, method)])

    def lines(self, task: str, thing: str) -> list[Line]:
        """Every method that was run on a task."""
        return [
            self._line(task, thing, method) for method in self.methods if self.of(task, method)
        ]

    def all_lines(self) -> list[Line]:
        """Every method on every task, of every thing."""
        pairs = [(task, thing) for task in self.tasks for thing in self.things(task)]
        return [line for pair in pairs for line in self.lines(*pair)]

    def _line(self, task: str, thing: str, method: str) -> Line:
        rng = np.random.default_rng(BOOTSTRAP_SEED)
        runs, finals = self.of(task, method), self.finals(task, method, thing)
        unit = self.unit(task, thing)
        iqm, (low, high) = iqm_and_interval([finals], rng=rng)
        better, ends = self._better(task, thing, method)
        return Line(
            task=task,
            thing=thing,
            unit=unit.shown,
            decimals=unit.decimals + EXTRA_DECIMALS,
            method=method,
            num_seeds=len(runs),
            iqm=iqm,
            low=low,
            high=high,
            mean=float(finals.mean()),
            worst=float(finals.max()),
            do_nothing=unit.scale * runs[0].do_nothing(thing),
            better=better,
            better_low=ends[0],
            better_high=ends[1],
            num_env_steps=max(run.num_env_steps for run in runs),
            training_minutes=float(np.median([run.training_s for run in runs])) / S_PER_MINUTE,
            run_ids=tuple(run.id for run in runs),
        )

    def _better(
        self, task: str, thing: str, method: str
    ) -> tuple[float | None, Interval | tuple[None, None]]:
        """How likely a method beats the reference, where both have several seeds."""
        ours, theirs = (self.finals(task, m, thing) for m in (method, self.reference))
        if method == self.reference or min(len(ours), len(theirs)) < LEAST_SEEDS:
            return None, (None, None)
        rng = np.random.default_rng(BOOTSTRAP_SEED)
        return probability_of_improvement([ours], [theirs], rng=rng)

    def over_tasks(self) -> list[Overall]:
        """Each method that was run on every task, with a way to go in every run."""
        return [
            self._overall(method)
            for method in self.methods
            if all(self.of(task, method) for task in self.tasks)
            and all(run.has_way for run in self.results if run.method == method)
        ]

    def _overall(self, method: str) -> Overall:
        rng = np.random.default_rng(BOOTSTRAP_SEED)
        runs = {task: self.of(task, method) for task in self.tasks}
        strata = [np.array([run.share_left for run in those]) for those in runs.values()]
        share, (low, high) = iqm_and_interval(strata, rng=rng)
        nums = {task: len(those) for task, those in runs.items()}
        return Overall(method=method, num_seeds=nums, share_left=share, low=low, high=high)

    def bands(self, task: str, thing: str) -> list[Band]:
        """The curve of every method; of those given the truth if there is nothing else."""
        methods = [method for method in self.methods if self.of(task, method)]
        seeing = [m for m in methods if not self.of(task, m)[0].is_given_truth]
        return [self._band(task, thing, method) for method in seeing or methods]

    def _band(self, task: str, thing: str, method: str) -> Band:
        runs = self.of(task, method)
        steps = common_points([run.column(STEPS) for run in runs])
        ys = self.unit(task, thing).scale * np.array(
            [np.interp(steps, run.column(STEPS), run.distances(thing)) for run in runs]
        )
        rng = np.random.default_rng(BOOTSTRAP_SEED)
        (draws,) = resampled([ys], NUM_CURVE_RESAMPLES, rng=rng)
        estimates = interquartile_mean(np.moveaxis(draws, 1, -1))
        ends = np.array([interval(column) for column in estimates.T])
        return Band(
            method=method,
            steps=steps,
            minutes=minutes_until(steps, runs),
            y=interquartile_mean(ys.T),
            low=ends[:, 0],
            high=ends[:, 1],
        )

    def oracle_level(self, task: str, thing: str) -> float | None:
        """Where the oracle ends, if one was run."""
        runs = [r for r in self.results if r.task == task and r.is_oracle]
        finals = self.unit(task, thing).scale * np.array([run.final(thing) for run in runs])
        return float(interquartile_mean(finals)) if runs else None


def minutes_until(
    steps: Float64[np.ndarray, " points"], runs: Sequence[Result]
) -> Float64[np.ndarray, " points"]:
    """The median time that runs had trained by then; their machines need not be as fast."""
    own = [np.interp(steps, run.column(STEPS), run.column(TRAINING_S)) for run in runs]
    return np.median(own, axis=0) / S_PER_MINUTE


def named(things: Mapping[str, str]) -> str:
    """What a run measured, with the units, in words."""
    return ", ".join(f"{thing} ({unit})" for thing, unit in things.items())
