"""The keeper: saves what a run is, now and then, and brings it back."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rig.errors import DivergedError
from rig.replay.buffer import ReplayBuffer
from rig.runs.array_files import array_bytes
from rig.runs.checkpoint_store import Checkpoint, CheckpointStore
from rig.runs.interrupt import Interrupt
from rig.runs.run import Run
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
        """Makes the keeper of a run.

        Args:
            run: Where the checkpoints lie.
            interrupt: Asks for a checkpoint before a stop.
            new_replay: Makes an empty one, of the right size.
            print_error: Is told of what is damaged.
        """
        self._config = run.config
        self._run = run
        self._interrupt = interrupt
        self._new_replay = new_replay
        self._complain = print_error
        self._store = CheckpointStore(run.checkpoints)

    def restore(self) -> State | None:
        """The last state that is whole, the metrics cut to what was written by then.

        None if the run has not come to its first checkpoint: it begins anew.

        Raises:
            RunError: There are checkpoints, but all are damaged.
        """

        def use(checkpoint: Checkpoint) -> tuple[State, int]:
            num_rows = self._run.check_metrics(checkpoint.about)
            directory, rows = checkpoint.directory, checkpoint.rows
            return load_state(directory, rows, self._config, self._new_replay()), num_rows

        state, num_rows = self._store.newest(use, self._complain) or (None, 0)
        self._run.cut_metrics(num_rows)
        return state

    def after_look(self, state: CollectState) -> None:
        """Saves what was seen, if there is enough of it or a stop was asked for."""
        is_enough = state.num_images >= self._config.collect.num_images
        if is_enough or self._interrupt.is_asked:
            self.save(state)

    def after_round(self, state: TrainState, num_new: int) -> None:
        """Saves the state of practice when that is due, at its end, or before a stop."""
        every_steps, num = self._config.checkpoint.every_steps, state.num_env_steps
        is_over = num >= self._config.total_timesteps
        if is_over or self._interrupt.is_asked or is_due(every_steps, num, num_new):
            self.save(state)

    def roll_back(self, state: TrainState, error: DivergedError) -> TrainState:
        """The last state before a run diverged, with other random numbers to come.

        Args:
            state: Before the round that diverged.
            error: What went wrong in it.

        Raises:
            DivergedError: The settings say to stop, or it has gone back too often.
        """
        num = state.num_rollbacks + 1
        before = self.restore() if self._config.on_divergence == "rollback" else None
        if not isinstance(before, TrainState) or num > MOST_ROLLBACKS:
            raise DivergedError(
                f"{error}; stopped after {state.num_env_steps} steps of {self._run.directory}, "
                "whose last checkpoint is kept: train anew with other settings, or with "
                "--on-divergence rollback"
            ) from error
        self._complain(f"{error}; back to step {before.num_env_steps}")
        self._run.log({"num_env_steps": before.num_env_steps, "run/num_rollbacks": num})
        rng = np.random.default_rng([self._config.seed, before.num_env_steps, num])
        return replace(before, rng=rng, num_rollbacks=num)

    def finish(self, state: TrainState) -> None:
        """Writes down what the run ended as, and lets go of the checkpoints."""
        self._run.save_fingerprint(fingerprint(state, self._run))
        if not self._config.checkpoint.keep_finished:
            self._store.clear()

    def save(self, state: State) -> None:
        """Saves the state now."""
        oldest_row = 0
        if isinstance(state, TrainState):
            oldest_row = state.replay.rows_held[0]
            self._save_rows(state.replay)
        about = {"num_env_steps": state.num_env_steps} | self._run.seal_metrics()
        self._store.save(state_files(state), oldest_row, about)
        malloc_trim()

    def _save_rows(self, replay: ReplayBuffer) -> None:
        """Writes the rows that no file holds yet."""
        oldest, end = replay.rows_held
        for first in range(max(oldest, self._store.next_row), end, ROWS_PER_FILE):
            last = min(first + ROWS_PER_FILE, end)
            self._store.put_rows(first, last, array_bytes(replay.immutable_arrays(first, last)))
