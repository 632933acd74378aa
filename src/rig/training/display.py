"""Displays: how something long is shown to the person who waits, on standard error.

On a terminal it is drawn and drawn again; anywhere else it is a plain line now and then.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, TypeVar, runtime_checkable

from rig.training.progress import SECONDS_BETWEEN_LINES, is_live, say_plainly


__all__ = [
    "SECONDS_BETWEEN_LINES",
    "Display",
    "PlainLines",
    "Say",
    "Shown",
    "is_live",
    "say_plainly",
]
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
