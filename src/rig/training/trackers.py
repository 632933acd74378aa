"""Trackers: TensorBoard and Weights & Biases as mirrors of ``metrics.jsonl``.

Nothing is computed for a tracker, and a run is the same with one and without: whatever the run
writes into ``metrics.jsonl``, the tracker is told too. Of a run that goes on it is told every
row from the first.
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
    """Somewhere else that metrics are shown."""

    def tell(self, row: Mapping[str, float]) -> None:
        """Takes in one row of metrics."""

    def close(self) -> None:
        """Writes what is not written yet."""


class TensorBoard:
    """Event files in the run's directory; ``tensorboard --logdir runs`` shows them."""

    def __init__(self, run: Run) -> None:
        from tensorboard.summary import Writer

        directory = run.directory / "tensorboard"
        rmtree(directory, ignore_errors=True)
        self._writer = Writer(str(directory))

    def tell(self, row: Mapping[str, float]) -> None:
        """Writes each metric under its name, at the row's step."""
        for name, value in row.items():
            if name != STEP:
                self._writer.add_scalar(name, value, step=int(row[STEP]))

    def close(self) -> None:
        """Writes what is not written yet."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases: kept in the run's directory unless WANDB_MODE is online."""

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

    def tell(self, row: Mapping[str, float]) -> None:
        """Sends the row, or keeps it to be sent with ``wandb sync``."""
        self._run.log(dict(row))

    def close(self) -> None:
        """Ends the run there."""
        self._run.finish()


TRACKERS: dict[str, Any] = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}


def check_tracker(name: TrackerName | None) -> None:
    """Raises ConfigError, with the command that installs it, if the tracker is not there."""
    if name is not None and find_spec(name) is None:
        raise ConfigError(
            f"--tracker {name} is not installed: pip install 'imagined-goals[{name}]'"
        )


@contextmanager
def tracked(run: Run, name: TrackerName | None) -> Iterator[None]:
    """Lets a tracker follow the run."""
    if name is None:
        yield
        return
    tracker: Tracker = TRACKERS[name](run)
    is_told = False

    def tell(row: Mapping[str, float]) -> None:
        """Tells the row; the first time, all rows that there are."""
        nonlocal is_told
        for each in [row] if is_told else run.metrics():
            tracker.tell(each)
        is_told = True

    try:
        with run.on_metrics(tell):
            yield
    finally:
        tracker.close()
