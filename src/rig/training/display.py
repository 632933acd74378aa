"""Displays: how something long is shown to the person who waits, on standard error.

On a terminal it is drawn and drawn again; anywhere else it is a plain line now and then.
"""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, TypeVar, runtime_checkable


SECONDS_BETWEEN_LINES = 10.0
Say = Callable[[str], object]
"""Prints a line."""
Shown = TypeVar("Shown")


@runtime_checkable
class Display(Protocol):
    """A context that ends the display, whatever happened."""

    def note(self, text: str) -> None:
        """Says something once."""

    def __enter__(self: Shown) -> Shown:
        """Starts the display."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the display."""


class PlainLines:
    """What all displays of plain lines do alike."""

    def __init__(self, say: Say) -> None:
        """Makes the display; ``say`` prints a line."""
        self._say = say

    def note(self, text: str) -> None:
        """Prints the text on a line of its own."""
        self._say(text)

    def __enter__(self: Shown) -> Shown:
        """Nothing to start."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing to end."""


def is_live() -> bool:
    """Whether standard error is a terminal, on which one can draw."""
    return sys.stderr.isatty()


def say_plainly(line: str) -> None:
    """Prints a line on standard error."""
    sys.stderr.write(f"{line}\n")
