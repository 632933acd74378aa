"""Ctrl-C and SIGTERM: the first stops the run after its next checkpoint, the second at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from rig.errors import StoppedError


SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """Context manager that turns signals into a request to stop.

    Until it is entered it never requests a stop. Runs that train together share one: each stops
    at the end of its own deferred block.
    """

    def __init__(self, say: Callable[[str], object], resume_hint: str) -> None:
        """Create it.

        Args:
            say: Prints a line to the user when the first signal comes.
            resume_hint: How to resume the run; the end of the error message.
        """
        self._say = say
        self._resume_hint = resume_hint
        self._requested: signal.Signals | None = None
        self._num_deferred = 0
        self._old_handlers: dict[signal.Signals, Any] = {}

    @property
    def is_requested(self) -> bool:
        """Return whether a signal came."""
        return self._requested is not None

    def request_stop(self) -> None:
        """Ask for a stop at the end of the deferred block, as a first signal does."""
        self._requested = self._requested or signal.SIGINT

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer a first signal to the end of the block.

        Raises:
            StoppedError: A signal came during the block.
        """
        self._num_deferred += 1
        try:
            yield
        finally:
            self._num_deferred -= 1
        if self._requested:
            self._stop(self._requested)

    def __enter__(self) -> "Interrupt":
        """Install the signal handlers; Python allows this in the main thread only."""
        if threading.current_thread() is threading.main_thread():
            self._old_handlers = {
                number: signal.signal(number, self._handle) for number in SIGNALS
            }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Restore the old signal handlers."""
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        stop_now = self.is_requested or not self._num_deferred
        self._requested = signal.Signals(number)
        if stop_now:
            self._stop(self._requested)
        self._say("stopping after this round; once more to stop at once")

    def _stop(self, number: signal.Signals) -> None:
        message = f"stopped by {number.name}; {self._resume_hint}"
        raise StoppedError(message, exit_code=128 + number)


def uninterrupted() -> Interrupt:
    """Return an interrupt that ignores signals."""
    return Interrupt(lambda _text: None, "")
