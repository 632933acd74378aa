"""Trackers: TensorBoard and Weights & Biases as mirrors of ``metrics.jsonl``.

A tracker gets every row that the run writes into ``metrics.jsonl``, and nothing else; it does
not change the run. When a run resumes, its tracker gets all rows from the first.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from shutil import rmtree
from typing import Any, Literal, Protocol, runtime_checkable

from rig.errors import ConfigError
from rig.runs.run import Run


TrackerName = Literal["tensorboard", "wandb"]
STEP = "num_env_steps"
PROJECT = "rig"


@runtime_checkable
class Tracker(Protocol):
    """A service that shows metrics."""

    def log(self, row: Mapping[str, float]) -> None:
        """Log one row of metrics."""

    def close(self) -> None:
        """Write what is not written yet."""


class TensorBoard:
    """Event files in the run's directory; see them with ``tensorboard --logdir runs``."""

    def __init__(self, run: Run) -> None:
        from tensorboard.summary import Writer

        directory = run.directory / "tensorboard"
        rmtree(directory, ignore_errors=True)
        self._writer = Writer(str(directory))

    def log(self, row: Mapping[str, float]) -> None:
        """Write each metric under its name, at the row's step."""
        for name, value in row.items():
            if name != STEP:
                self._writer.add_scalar(name, value, step=int(row[STEP]))

    def close(self) -> None:
        """Write what is not written yet."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases, offline in the run's directory unless WANDB_MODE is online."""

    def __init__(self, run: Run) -> None:
        import wandb

        self._run = wandb.init(
            project=PROJECT,
            name=run.directory.resolve().name,
            dir=str(run.directory),
            config=asdict(run.config),
            mode=os.environ.get("WANDB_MODE", "offline"),
            settings=wandb.Settings(silent=True, console="off", x_disable_stats=True),
        )
        self._run.define_metric("*", step_metric=STEP)

    def log(self, row: Mapping[str, float]) -> None:
        """Send the row, or store it for ``wandb sync``."""
        self._run.log(dict(row))

    def close(self) -> None:
        """End the run."""
        self._run.finish()


TRACKERS: dict[str, Any] = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}


def check_tracker(name: TrackerName | None) -> None:
    """Raise ConfigError, with the command that installs it, if the tracker is missing."""
    if name is not None and find_spec(name) is None:
        raise ConfigError(
            f"--tracker {name} is not installed: pip install 'imagined-goals[{name}]'"
        )


@contextmanager
def tracked(run: Run, name: TrackerName | None) -> Iterator[None]:
    """Log the run's metrics to a tracker."""
    if name is None:
        yield
        return
    tracker: Tracker = TRACKERS[name](run)
    is_first = True

    def log(row: Mapping[str, float]) -> None:
        """Log the row; the first time, all rows, which a resumed run has cut by then."""
        nonlocal is_first
        for each in run.metrics() if is_first else [row]:
            tracker.log(each)
        is_first = False

    try:
        with run.on_metrics(log):
            yield
    finally:
        tracker.close()
