"""A callback during training: it sees every round, and may stop the run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rig.runs.interrupt import Interrupt
from rig.runs.run import Run


STEPS = "num_env_steps"


@dataclass(frozen=True, kw_only=True)
class TrainingProgress:
    """How far a run is, after a round of practice and learning."""

    num_timesteps: int
    """Environment steps so far, collection included."""
    total_timesteps: int
    """Environment steps of the whole run."""
    metrics: Mapping[str, float]
    """The latest value of every metric, as in ``metrics.jsonl``."""


Callback = Callable[[TrainingProgress], bool | None]
"""Called after every round; returns False to stop the run, which can be resumed."""


@contextmanager
def called_back(run: Run, callback: Callback | None, interrupt: Interrupt) -> Iterator[None]:
    """Call a callback at the first metrics after each round; False asks the run to stop.

    The metrics of an evaluation follow those of its round, so the callback sees them one round
    later.
    """
    if callback is None:
        yield
        return
    latest: dict[str, float] = {}
    for row in run.metrics():
        latest |= row
    last_step: float = 0

    def follow(row: Mapping[str, float]) -> None:
        """Take in a line of metrics, and call back if it is a new round's."""
        nonlocal last_step
        latest.update(row)
        is_fit = any(name.startswith("vae/") for name in row)
        if row[STEPS] != last_step and not is_fit:
            last_step = row[STEPS]
            progress = TrainingProgress(
                num_timesteps=int(row[STEPS]),
                total_timesteps=run.config.total_timesteps,
                metrics=dict(latest),
            )
            if callback(progress) is False:
                interrupt.request_stop()

    with run.on_metrics(follow):
        yield
