"""What a report shows of a run, read from its directory. A run in progress is fine too."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rig.report.lines import Line, smoothed
from rig.runs.evaluation_table import check_evaluation
from rig.runs.run import Run


STEPS = "num_env_steps"
MINUTES = "minutes"
"""Minutes of training, without evaluation."""
FIT_STEPS = "vae/fit_steps"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """One run, as a report shows it."""

    label: str
    """Its name in the report, different from the other runs' names."""
    run: Run
    rows: Sequence[dict[str, float]]
    """Its metrics."""
    evaluation: dict[str, Any]
    """Its last evaluation, empty if it has not finished."""
    origin: dict[str, Any]

    @property
    def num_env_steps(self) -> int:
        """The number of environment steps so far."""
        return int(max((row.get(STEPS, 0) for row in self.rows), default=0))

    @property
    def training_s(self) -> float:
        """Seconds of training so far, without evaluation."""
        return 60 * max((row[MINUTES] for row in self.rows), default=0.0)

    def names(self) -> list[str]:
        """Return the names of all metrics, in order of their first appearance."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def last(self, key: str) -> float | None:
        """Return the metric's last value, if it has one."""
        return next((row[key] for row in reversed(self.rows) if key in row), None)

    def last_between(self, start: str, end: str) -> dict[str, float]:
        """Return the last value of each metric with this start and end, by what is between."""
        pattern = re.compile(f"{re.escape(start)}(.+){re.escape(end)}")
        matches = filter(None, map(pattern.fullmatch, self.names()))
        values = {match[1]: self.last(match[0]) for match in matches}
        return {name: value for name, value in values.items() if value is not None}

    def mean(self, key: str) -> float:
        """Return the mean of a metric over the run, NaN if it was never measured."""
        values = [row[key] for row in self.rows if key in row]
        return float(np.mean(values)) if values else float("nan")

    def line(self, x: str, y: str, scale: float = 1.0) -> Line:
        """Return one metric against another, in the order of measurement."""
        pairs = [(row[x], scale * row[y]) for row in self.rows if x in row and y in row]
        xs, ys = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return Line(label=self.label, x=smoothed(xs), y=smoothed(ys))

    def images(self, pattern: str) -> list[Path]:
        """Return the run's image files of that name, in order."""
        return sorted(self.run.images.glob(pattern))


def read_facts(directories: Sequence[Path]) -> list[Facts]:
    """Read each run; its label is the directory's name, or its path where names are equal.

    Raises:
        RunError: One is no run, or damaged.
    """
    runs = [Run.open(directory) for directory in directories]
    names = [run.directory.resolve().name for run in runs]
    labels = names if len(set(names)) == len(names) else [str(run.directory) for run in runs]
    return [facts_of(run, label) for run, label in zip(runs, labels, strict=True)]


def facts_of(run: Run, label: str) -> Facts:
    """Read one run."""
    return Facts(
        label=label,
        run=run,
        rows=[row | {MINUTES: minutes(row)} for row in run.metrics()],
        evaluation=check_evaluation(run.evaluation(), run.directory / "evaluation.json"),
        origin=run.origin(),
    )


def minutes(row: dict[str, float]) -> float:
    """Return the minutes of training at a row of metrics."""
    return (row.get("wall_s", 0.0) - row.get("evaluation_s", 0.0)) / 60
