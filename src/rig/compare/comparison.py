"""A comparison of methods: scores with intervals for each task and over all tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from rig.compare.result import STEPS, TRAINING_S, Result
from rig.compare.statistics import (
    bootstrap,
    common_points,
    interquartile_mean,
    iqm_over_tasks,
    probability_of_improvement,
)
from rig.errors import RunError, suggest
from rig.units import Unit, unit_named


BOOTSTRAP_SEED = 0
"""Seeds every bootstrap, so that the same results give the same page."""
NUM_CURVE_RESAMPLES = 2000
EXTRA_DECIMALS = 1
"""Statistics over seeds are shown with more decimals than a single distance."""
S_PER_MINUTE = 60
MIN_SEEDS = 2
"""The probability of improvement needs several seeds of both methods."""


@dataclass(frozen=True, kw_only=True)
class MethodScore:
    """One method on one task: the final distance of one object."""

    task: str
    object: str
    unit: str
    """The unit shown: cm or rad."""
    decimals: int
    method: str
    num_seeds: int
    iqm: float
    """Interquartile mean over seeds of the median over goal images."""
    low: float
    high: float
    """Ends of the 95 % interval of ``iqm``."""
    mean: float
    """Mean over seeds of the median over goal images."""
    worst: float
    """The worst seed's median over goal images."""
    mean_distance: float
    """Mean over seeds and goal images; NaN if it was not recorded."""
    do_nothing: float
    better: float | None
    """Probability that a run ends lower than one of the reference; None for the reference."""
    better_low: float | None
    better_high: float | None
    num_env_steps: int
    training_minutes: float
    """Median over seeds."""
    run_ids: tuple[str, ...]

    def show(self, value: float) -> str:
        """Return one of its distances as text, without the unit."""
        return f"{value:.{self.decimals}f}"


@dataclass(frozen=True, kw_only=True)
class OverallScore:
    """One method over all tasks."""

    method: str
    num_seeds: Mapping[str, int]
    """By task."""
    normalized_distance: float
    """The interquartile mean over seeds on each task, averaged over tasks."""
    low: float
    high: float
    """Ends of its 95 % interval."""


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """One method's curve: the interquartile mean over seeds, and its interval."""

    method: str
    steps: Float64[np.ndarray, " points"]
    minutes: Float64[np.ndarray, " points"]
    y: Float64[np.ndarray, " points"]
    low: Float64[np.ndarray, " points"]
    high: Float64[np.ndarray, " points"]


class Comparison:
    """Results of several methods."""

    def __init__(self, results: Sequence[Result], reference: str | None = None) -> None:
        """Take the results; the reference is the first method unless one is named.

        Raises:
            RunError: No method has that name, or runs of a task measure different objects.
        """
        self.results = results
        self.methods = list(dict.fromkeys(result.method for result in results))
        self.tasks = list(dict.fromkeys(result.task for result in results))
        if reference is not None and reference not in self.methods:
            hint = suggest(reference, self.methods)
            raise RunError(f"no method is called {reference!r}: {hint}")
        self.reference = reference or self.methods[0]
        for result in results:
            self._check_objects(result)

    def _check_objects(self, result: Result) -> None:
        first = self._first(result.task)
        if result.objects != first.objects:
            both = " and ".join(f"{run.id} {list(run.objects)}" for run in (first, result))
            raise RunError(
                f"runs on {result.task} measure different objects, {both}: compare them "
                "separately"
            )

    def _first(self, task: str) -> Result:
        return next(result for result in self.results if result.task == task)

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(BOOTSTRAP_SEED)

    def objects(self, task: str) -> dict[str, str]:
        """Return the objects measured on a task, with their unit."""
        return self._first(task).objects

    def unit(self, task: str, name: str) -> Unit:
        """Return the unit in which an object's distances are shown."""
        return unit_named(self.objects(task)[name])

    def main_objects(self, task: str) -> list[str]:
        """Return the objects that a task is about: all but the hand, or the hand alone."""
        return self._first(task).main_objects

    def of(self, task: str, method: str) -> list[Result]:
        """Return the runs of a method on a task."""
        return [r for r in self.results if (r.task, r.method) == (task, method)]

    def finals(self, task: str, method: str, name: str) -> Float64[np.ndarray, " seeds"]:
        """Return the final distance of each seed, in the unit shown."""
        scale = self.unit(task, name).scale
        return scale * np.array([result.final(name) for result in self.of(task, method)])

    def scores(self, task: str, name: str) -> list[MethodScore]:
        """Return the score of every method that was run on a task."""
        return [self._score(task, name, m) for m in self.methods if self.of(task, m)]

    def all_scores(self) -> list[MethodScore]:
        """Return the score of every method on every task for every object."""
        pairs = [(task, name) for task in self.tasks for name in self.objects(task)]
        return [score for pair in pairs for score in self.scores(*pair)]

    def _score(self, task: str, name: str, method: str) -> MethodScore:
        runs, finals = self.of(task, method), self.finals(task, method, name)
        unit = self.unit(task, name)
        low, high = bootstrap(iqm_over_tasks, finals, rng=self._rng())
        better, better_low, better_high = self._improvement(task, name, method)
        return MethodScore(
            task=task,
            object=name,
            unit=unit.shown,
            decimals=unit.decimals + EXTRA_DECIMALS,
            method=method,
            num_seeds=len(runs),
            iqm=float(interquartile_mean(finals)),
            low=float(low),
            high=float(high),
            mean=float(finals.mean()),
            worst=float(finals.max()),
            mean_distance=unit.scale * float(np.mean([run.final_mean(name) for run in runs])),
            do_nothing=unit.scale * runs[0].do_nothing(name),
            better=better,
            better_low=better_low,
            better_high=better_high,
            num_env_steps=max(run.num_env_steps for run in runs),
            training_minutes=float(np.median([run.training_s for run in runs])) / S_PER_MINUTE,
            run_ids=tuple(run.id for run in runs),
        )

    def _improvement(
        self, task: str, name: str, method: str
    ) -> tuple[float, float, float] | tuple[None, None, None]:
        """Return the probability of improvement over the reference, and its interval."""
        ours, theirs = (self.finals(task, m, name) for m in (method, self.reference))
        if method == self.reference or min(len(ours), len(theirs)) < MIN_SEEDS:
            return None, None, None
        low, high = bootstrap(probability_of_improvement, ours, theirs, rng=self._rng())
        return float(probability_of_improvement(ours, theirs)), float(low), float(high)

    def over_tasks(self) -> list[OverallScore]:
        """Return the score of each method that was run on every task and can be normalized."""
        return [
            self._overall(method)
            for method in self.methods
            if all(self.of(task, method) for task in self.tasks)
            and all(run.can_be_normalized for run in self.results if run.method == method)
        ]

    def _overall(self, method: str) -> OverallScore:
        runs = {task: self.of(task, method) for task in self.tasks}
        strata = [np.array([r.normalized_distance for r in some]) for some in runs.values()]
        low, high = bootstrap(iqm_over_tasks, *strata, rng=self._rng())
        return OverallScore(
            method=method,
            num_seeds={task: len(some) for task, some in runs.items()},
            normalized_distance=float(iqm_over_tasks(*strata)),
            low=float(low),
            high=float(high),
        )

    def curves(self, task: str, name: str) -> list[LearningCurve]:
        """Return the curve of every method; of those given the truth if there is no other."""
        methods = [method for method in self.methods if self.of(task, method)]
        seeing = [m for m in methods if not self.of(task, m)[0].is_given_truth]
        return [self._curve(task, name, method) for method in seeing or methods]

    def _curve(self, task: str, name: str, method: str) -> LearningCurve:
        runs = self.of(task, method)
        steps = common_points([run.column(STEPS) for run in runs])
        ys = self.unit(task, name).scale * np.array(
            [np.interp(steps, run.column(STEPS), run.distances(name)) for run in runs]
        )
        low, high = bootstrap(
            iqm_over_tasks, ys, rng=self._rng(), num_resamples=NUM_CURVE_RESAMPLES, axis=0
        )
        minutes = minutes_until(steps, runs)
        y = interquartile_mean(ys, axis=0)
        return LearningCurve(
            method=method, steps=steps, minutes=minutes, y=y, low=low, high=high
        )

    def oracle_level(self, task: str, name: str) -> float | None:
        """Return the final distance of the oracle, if one was run."""
        runs = [r for r in self.results if r.task == task and r.is_oracle]
        finals = self.unit(task, name).scale * np.array([run.final(name) for run in runs])
        return float(interquartile_mean(finals)) if runs else None


def minutes_until(
    steps: Float64[np.ndarray, " points"], runs: Sequence[Result]
) -> Float64[np.ndarray, " points"]:
    """Return the median over runs of the training time until each step."""
    own = [np.interp(steps, run.column(STEPS), run.column(TRAINING_S)) for run in runs]
    return np.median(own, axis=0) / S_PER_MINUTE
