"""Clocks that only go forward. The wall clock is never read."""

import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Time since some start, seconds."""

    def now_s(self) -> float:
        """Return the time."""
        ...


class SystemClock:
    """The machine's monotonic clock; where it can, one that counts while it is suspended."""

    def __init__(self) -> None:
        self._id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now_s(self) -> float:
        """Return the time."""
        return time.clock_gettime(self._id)


class SimulatedClock:
    """A clock that moves only when it is advanced."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        """Return the time."""
        return self._now_s

    def advance(self, duration_s: float) -> None:
        """Go forward."""
        self._now_s += duration_s
