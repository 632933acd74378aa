"""Several runs trained together: their updates are made in one program.

Each run has a thread of its own, and one runs at a time. A run that asks for updates waits, and
lets another run go on; once every run waits, the updates of all that have the same settings are
one call, mapped over them. All else is each run's own: its environments, its replay, its random
numbers, its directory. They need not be at the same step: one that was stopped earlier, or that
rolled back, asks for its own updates and ends later.
"""

import threading
from collections.abc import Callable, Generator, Mapping
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

from jaxtyping import PRNGKeyArray

from rig.agent.td3 import (
    Learner,
    Metrics,
    Rate,
    Transitions,
    UpdateRequest,
    update_batched,
)
from rig.config import TD3Config
from rig.errors import StoppedError
from rig.training.learn import Update


Name = TypeVar("Name")
Result = TypeVar("Result")
Updated = tuple[Learner, Metrics]


def run_together(
    runs: Mapping[Name, Callable[[Update], Result]],
) -> Generator[tuple[Name, Result | BaseException]]:
    """Call each run with an ``update`` that batches; yield its result or its error as it comes.

    Closing the iterator stops the runs that are left when they next ask for updates.
    """
    barrier = UpdateBarrier[Name](runs)
    ended: SimpleQueue[tuple[Name, Result | BaseException]] = SimpleQueue()

    def call(name: Name, run: Callable[[Update], Result]) -> None:
        with barrier.turn:
            try:
                result: Result | BaseException = run(partial(barrier.update, name))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, which raises what it must
                result = error
            barrier.leave(name)
        ended.put((name, result))

    threads = [threading.Thread(target=call, args=item, daemon=True) for item in runs.items()]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            yield ended.get()
    finally:
        barrier.close()
        for thread in threads:
            thread.join()


class UpdateBarrier(Generic[Name]):
    """Makes the updates of all runs once every one of them waits for its own."""

    def __init__(self, names: Mapping[Name, object]) -> None:
        self.turn = threading.Condition()
        self._running = list(names)
        self._requests: dict[Name, UpdateRequest] = {}
        self._updated: dict[Name, Updated | Exception] = {}
        self._is_closed = False

    def update(
        self,
        name: Name,
        learner: Learner,
        batches: Transitions,
        config: TD3Config,
        learning_rate: Rate,
        *,
        key: PRNGKeyArray,
    ) -> Updated:
        """Return the learner after its updates: an :class:`rig.training.learn.Update`.

        Raises:
            StoppedError: The caller has stopped all runs.
        """
        self._requests[name] = UpdateRequest(learner, batches, config, learning_rate, key)
        self._update_if_all_wait()
        self.turn.wait_for(lambda: name in self._updated or self._is_closed)
        if self._is_closed:
            raise StoppedError("stopped with the runs that are trained together", exit_code=1)
        updated = self._updated.pop(name)
        if isinstance(updated, Exception):
            raise updated
        return updated

    def leave(self, name: Name) -> None:
        """Wait for this run no longer."""
        self._running.remove(name)
        self._update_if_all_wait()

    def close(self) -> None:
        """Stop the runs that are left."""
        self._is_closed = True  # without the turn, which a run that never waits does not give
        with self.turn:
            self.turn.notify_all()

    def _update_if_all_wait(self) -> None:
        """Make all updates that are asked for; those of the same settings in one call.

        A run that rolled back has a lower learning rate in its settings, so a call of its own.
        """
        if not self._requests or len(self._requests) < len(self._running):
            return
        by_config: dict[TD3Config, list[Name]] = {}
        for name in filter(self._requests.__contains__, self._running):
            by_config.setdefault(self._requests[name].config, []).append(name)
        for names in by_config.values():
            requests = [self._requests[name] for name in names]
            try:
                self._updated |= zip(names, update_batched(requests), strict=True)
            except Exception as error:  # noqa: BLE001 - raised in the runs that asked
                self._updated |= dict.fromkeys(names, error)
        self._requests = {}
        self.turn.notify_all()
