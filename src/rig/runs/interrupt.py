"""Ctrl-C and SIGTERM: the first stops the run after its next checkpoint, the second at once.

A signal handler may run anywhere, in a callback of JAX or Ray, too, and an exception that it
raises there is lost. So a signal only leaves a request, and the run looks for it where stopping
is safe: :meth:`Interrupt.check`.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any

from rig.errors import StoppedError


SIGNALS = (signal.SIGINT, signal.SIGTERM)
EXIT_AFTER_S = 2.0
"""How long a stop at once may wait, where the process may exit."""
SHOW_CURSOR = "\x1b[?25h"


class Interrupt:
    """Context manager that turns signals into a request to stop.

    Until it is entered it never requests a stop. Runs that train together share one: each stops
    at the end of its own deferred block.
    """

    def __init__(
        self, say: Callable[[str], object], resume_hint: str, *, may_exit: bool = False
    ) -> None:
        """Create it.

        Args:
            say: Prints a line to the user when the first signal comes.
            resume_hint: How to resume the run; the end of the error message.
            may_exit: End the process if a stop at once takes too long, as while JAX compiles.
        """
        self._say = say
        self._resume_hint = resume_hint
        self._may_exit = may_exit
        self._requested: signal.Signals | None = None
        self._is_urgent = False
        self._num_deferred = 0
        self._own = threading.local()
        self._old_handlers: dict[signal.Signals, Any] = {}
        self._watcher: _Watcher | None = None

    @property
    def is_requested(self) -> bool:
        """Return whether a signal came."""
        return self._requested is not None

    def request_stop(self) -> None:
        """Ask for a stop at the end of the deferred block, as a first signal does."""
        self._requested = self._requested or signal.SIGINT

    def check(self) -> None:
        """Stop if a signal came, unless it is deferred; call this where stopping is safe.

        Raises:
            StoppedError: A signal came.
        """
        is_deferred = getattr(self._own, "num_deferred", 0) > 0
        if self._is_urgent or not is_deferred:
            self.check_while_waiting()

    def check_while_waiting(self) -> None:
        """Stop if a signal came, deferred or not: a robot waits, and nothing is under way.

        Raises:
            StoppedError: A signal came.
        """
        if self._requested:
            if self._watcher:
                self._watcher.disarm()
            raise StoppedError(self._message(self._requested), exit_code=128 + self._requested)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Defer a first signal to the end of the block.

        Raises:
            StoppedError: A signal came before or during the block.
        """
        self.check()
        self._count_deferred(1)
        try:
            yield
        finally:
            self._count_deferred(-1)
        self.check()

    def __enter__(self) -> "Interrupt":
        """Install the signal handlers; Python allows this in the main thread only."""
        if threading.current_thread() is threading.main_thread():
            handler: Callable[..., object] = self._handle
            if self._may_exit:
                self._watcher = _Watcher(self._receive)
                handler = _ignore  # the watcher hears it sooner
            self._old_handlers = {number: signal.signal(number, handler) for number in SIGNALS}
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
        if self._watcher:
            self._watcher.close()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._receive(signal.Signals(number))

    def _receive(self, number: signal.Signals) -> None:
        """Note a signal, and say what it does. Raise nothing."""
        self._is_urgent = self.is_requested or not self._num_deferred
        self._requested = number
        if not self._is_urgent:
            self._say("stopping after this round; once more to stop at once")
        elif self._watcher:
            self._watcher.arm(self._message(number), 128 + number)

    def _message(self, number: signal.Signals) -> str:
        return f"stopped by {number.name}; {self._resume_hint}"

    def _count_deferred(self, change: int) -> None:
        self._own.num_deferred = getattr(self._own, "num_deferred", 0) + change
        self._num_deferred += change


class _Watcher:
    """Hears signals in a thread of its own, while the main thread is inside a library.

    Python runs a signal handler only once the main thread is back in Python code.
    """

    def __init__(self, receive: Callable[[signal.Signals], object]) -> None:
        """Begin to listen; in the main thread only."""
        self._receive = receive
        self._exit: threading.Timer | None = None
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._old = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._listen, name="rig-signals", daemon=True)
        self._thread.start()

    def arm(self, message: str, exit_code: int) -> None:
        """End the process soon, unless the run stops by itself before."""
        if self._exit is None:
            self._exit = threading.Timer(EXIT_AFTER_S, _exit, (message, exit_code))
            self._exit.daemon = True
            self._exit.start()

    def disarm(self) -> None:
        """Let the process live: the run stops by itself."""
        if self._exit:
            self._exit.cancel()

    def close(self) -> None:
        """Stop listening."""
        self.disarm()
        signal.set_wakeup_fd(self._old)
        self._writer.close()
        self._thread.join()
        self._reader.close()

    def _listen(self) -> None:
        while number := self._reader.recv(1):
            if number[0] in SIGNALS:
                self._receive(signal.Signals(number[0]))


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Handle a signal that a watcher hears: without a handler it would end the process."""


def _exit(message: str, exit_code: int) -> None:
    """End the process without waiting for any library; what is saved is whole."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{SHOW_CURSOR if sys.stderr.isatty() else ''}\nrig: {message}\n")
        sys.stderr.flush()
    os._exit(exit_code)


def uninterrupted() -> Interrupt:
    """Return an interrupt that ignores signals."""
    return Interrupt(lambda _text: None, "")
