"""Saves the state of a run now and then, and restores it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rig.errors import DivergedError
from rig.replay.buffer import ReplayBuffer
from rig.runs.array_files import array_bytes
from rig.runs.checkpoint_store import Checkpoint, CheckpointStore
from rig.runs.interrupt import Interrupt
from rig.runs.run import Run
from rig.training.collect import is_enough
from rig.training.fingerprint import fingerprint
from rig.training.resources import ROWS_PER_FILE, malloc_trim
from rig.training.schedule import is_due
from rig.training.state import CollectState, State, TrainState, load_state, state_files


MOST_ROLLBACKS = 3
"""A run that diverges more often has the wrong settings."""


class CheckpointManager:
    """Saves the states of one run, each with the metrics that were written by then."""

    def __init__(
        self,
        run: Run,
        interrupt: Interrupt,
        new_replay: Callable[[], ReplayBuffer],
        print_error: Callable[[str], object],
    ) -> None:
        """Manage the checkpoints of a run.

        Args:
            run: Whose checkpoints they are.
            interrupt: Asks for a checkpoint before a stop.
            new_replay: Returns an empty buffer of the right size.
            print_error: Called with a line for each damaged checkpoint.
        """
        self._config = run.config
        self._run = run
        self._interrupt = interrupt
        self._new_replay = new_replay
        self._print_error = print_error
        self._store = CheckpointStore(run.checkpoints)

    def restore(self, *, keep_metrics: bool = False) -> State | None:
        """Restore the last state that is whole, and cut the metrics to those before it.

        Return None if the run has no checkpoint yet: it starts from the beginning.

        Args:
            keep_metrics: Do not cut them: the run ended at this state.

        Raises:
            RunError: There are checkpoints, but all are damaged.
        """

        def use(checkpoint: Checkpoint) -> tuple[State, int]:
            num_rows = self._run.check_metrics(checkpoint.about)
            directory, rows = checkpoint.directory, checkpoint.rows
            return load_state(directory, rows, self._config, self._new_replay()), num_rows

        state, num_rows = self._store.load_newest(use, self._print_error) or (None, 0)
        if not keep_metrics:
            self._run.truncate_metrics(num_rows)
        return state

    def after_collect(self, state: CollectState) -> None:
        """Save what was collected, if it is enough or a stop was asked for."""
        if is_enough(state.collected, self._config) or self._interrupt.is_requested:
            self.save(state)

    def after_episodes(self, state: TrainState, num_new: int) -> None:
        """Save the state of practice when that is due, at its end, or before a stop."""
        every_steps, num = self._config.checkpoint.every_steps, state.num_env_steps
        is_over = num >= self._config.total_timesteps
        if is_over or self._interrupt.is_requested or is_due(every_steps, num, num_new):
            self.save(state)

    def roll_back(self, state: TrainState, error: DivergedError) -> TrainState:
        """Return the last state before a run diverged, with another random generator.

        Args:
            state: Before the episodes in which it diverged.
            error: What diverged.

        Raises:
            DivergedError: The settings say to stop, or it has rolled back too often.
        """
        num = state.num_rollbacks + 1
        before = self.restore() if self._config.on_divergence == "rollback" else None
        if not isinstance(before, TrainState) or num > MOST_ROLLBACKS:
            raise DivergedError(
                f"{error}; stopped after {state.num_env_steps} steps of {self._run.directory}, "
                "whose last checkpoint is kept: train again with other settings, or with "
                "--on-divergence rollback"
            ) from error
        self._print_error(f"{error}; back to step {before.num_env_steps}")
        self._run.log({"num_env_steps": before.num_env_steps, "run/num_rollbacks": num})
        rng = np.random.default_rng([self._config.seed, before.num_env_steps, num])
        return replace(before, rng=rng, num_rollbacks=num)

    def finish(self, state: TrainState) -> None:
        """Save the fingerprint of the final state, and remove the checkpoints."""
        self._run.save_fingerprint(fingerprint(state, self._run))
        if not self._config.checkpoint.keep_finished:
            self._store.clear()

    def save(self, state: State) -> None:
        """Save the state now."""
        oldest_row = 0
        if isinstance(state, TrainState):
            oldest_row = state.replay.rows_held[0]
            self._save_rows(state.replay)
        about = {"num_env_steps": state.num_env_steps} | self._run.seal_metrics()
        self._store.save(state_files(state), oldest_row, about)
        malloc_trim()

    def _save_rows(self, replay: ReplayBuffer) -> None:
        """Write the rows of replay that no file holds yet."""
        oldest, end = replay.rows_held
        for first in range(max(oldest, self._store.next_row), end, ROWS_PER_FILE):
            last = min(first + ROWS_PER_FILE, end)
            self._store.add_rows(first, last, array_bytes(replay.immutable_arrays(first, last)))
