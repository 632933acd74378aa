"""One phase of a long run: how far it is, how fast it goes of late, and what time is left."""

from collections import deque
from time import perf_counter


WINDOW_S = 20.0
"""Speed is measured over this time."""
UNITS = {"collect": "images", "fit": "steps", "practise": "steps", "evaluate": "goals"}
"""What each phase counts."""


class Phase:
    """How far one phase is, and how fast it goes of late."""

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = total
        self.done = 0
        self.started_s = perf_counter()
        self._marks: deque[tuple[float, int]] = deque()

    def advance(self, done: int) -> None:
        """Remembers how far it is now, and forgets what is long ago."""
        self.done = done
        self._marks.append((perf_counter(), done))
        while len(self._marks) > 2 and self._marks[-1][0] - self._marks[1][0] > WINDOW_S:
            self._marks.popleft()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the phase began."""
        return perf_counter() - self.started_s

    @property
    def speed(self) -> float:
        """Steps per second of late; 0 while it can't be told."""
        if len(self._marks) < 2:
            return 0.0
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return (last - first) / max(last_s - first_s, 1e-9)

    @property
    def pace(self) -> str:
        """The speed and the time left at it: ``1,200 steps/s, 1 min 20 s left``."""
        if not self.speed:
            return ""
        left_s = max(self.total - self.done, 0) / self.speed
        return f"{self.speed:,.0f} {self.unit}/s, {duration(left_s)} left"

    @property
    def unit(self) -> str:
        """What it counts."""
        return UNITS.get(self.name, "steps")

    @property
    def summary(self) -> str:
        """One line for when it is over."""
        return f"{self.name}: {self.done:,} {self.unit} in {duration(self.elapsed_s)}"


def duration(seconds: float) -> str:
    """A length of time as a person says it: ``48 s``, ``2 min 5 s``, ``1 h 4 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
