"""Ctrl-C and SIGTERM: the first asks for a stop where nothing is lost, the second insists."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from rig.errors import StoppedError


SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """What to do when a signal comes, while it is entered as a context.

    Not entered, it never asks for anything. Several runs that are trained together share one:
    each is stopped at the end of its own deferred part.
    """

    def __init__(self, say: Callable[[str], object], how_to_go_on: str) -> None:
        """Makes it; ``say`` tells a person that the signal was heard."""
        self._say = say
        self._how_to_go_on = how_to_go_on
        self._asked: signal.Signals | None = None
        self._num_deferred = 0
        self._before: dict[signal.Signals, Any] = {}

    @property
    def is_asked(self) -> bool:
        """Whether a signal came."""
        return self._asked is not None

    def request_stop(self) -> None:
        """Ask for a stop at the end of the deferred part, as a first signal does."""
        self._asked = self._asked or signal.SIGINT

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """A part that a first signal does not cut short; it stops the run at the end of it.

        Raises:
            StoppedError: A signal came meanwhile.
        """
        self._num_deferred += 1
        try:
            yield
        finally:
            self._num_deferred -= 1
        if self._asked:
            self._stop(self._asked)

    def __enter__(self) -> "Interrupt":
        """Listens from now on; only a main thread can."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Listens no more."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        is_urgent = self.is_asked or not self._num_deferred
        self._asked = signal.Signals(number)
        if is_urgent:
            self._stop(self._asked)
        self._say("stopping after this round; once more to stop at once")

    def _stop(self, number: signal.Signals) -> None:
        message = f"stopped by {number.name}; {self._how_to_go_on}"
        raise StoppedError(message, exit_code=128 + number)


def uninterrupted() -> Interrupt:
    """One that hears nothing, for a run that nobody watches."""
    return Interrupt(lambda _text: None, "")
