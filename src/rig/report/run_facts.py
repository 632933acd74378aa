"""What a report tells about a run, read from its directory. A run in progress is fine too."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.report.charts import Line, smoothed
from rig.runs.evaluation_table import check_evaluation
from rig.runs.run import Run


STEPS = "num_env_steps"
MINUTES = "minutes"
"""Training time: the clock's, less what evaluation took."""
FIT_STEPS = "vae/fit_steps"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """One run, as a report tells it."""

    label: str
    """What tells it from the other runs of the report."""
    run: Run
    rows: Sequence[dict[str, float]]
    """Its metrics."""
    evaluation: dict[str, Any]
    """Its last evaluation; empty if it has not finished."""
    origin: dict[str, Any]

    @property
    def num_env_steps(self) -> int:
        """Environment steps trained so far."""
        return int(max((row.get(STEPS, 0) for row in self.rows), default=0))

    @property
    def training_s(self) -> float:
        """Seconds of training so far, evaluation left out."""
        return 60 * max((row[MINUTES] for row in self.rows), default=0.0)

    def names(self) -> list[str]:
        """The names of all metrics, in the order of their first appearance."""
        return list(dict.fromkeys(key for row in self.rows for key in row))

    def last(self, key: str) -> float | None:
        """The metric's last value, if it has one."""
        return next((row[key] for row in reversed(self.rows) if key in row), None)

    def line(self, x: str, y: str, scale: float = 1.0) -> Line:
        """One metric against another, in the order they were measured."""
        pairs = [(row[x], scale * row[y]) for row in self.rows if x in row and y in row]
        xs, ys = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return Line(label=self.label, x=smoothed(xs), y=smoothed(ys))

    def sheets(self, pattern: str) -> list[Path]:
        """The pictures of that name, in order."""
        return sorted(self.run.images.glob(pattern))


def read_facts(directories: Sequence[Path]) -> list[Facts]:
    """The facts of each run, labelled by directory.

    Raises:
        RunError: One is no run, or damaged.
    """
    runs = [Run.open(directory) for directory in directories]
    names = [run.directory.resolve().name for run in runs]
    labels = names if len(set(names)) == len(names) else [str(run.directory) for run in runs]
    return [facts_of(run, label) for run, label in zip(runs, labels, strict=True)]


def facts_of(run: Run, label: str) -> Facts:
    """The facts of one run."""
    return Facts(
        label=label,
        run=run,
        rows=[row | {MINUTES: minutes(row)} for row in run.metrics()],
        evaluation=check_evaluation(run.evaluation(), run.directory / "evaluation.json"),
        origin=run.origin(),
    )


def minutes(row: dict[str, float]) -> float:
    """The training time at a row of metrics."""
    return (row.get("wall_s", 0.0) - row.get("evaluation_s", 0.0)) / 60
