"""Progress of a long run, for the person who waits: on standard error, in one of two ways.

On a terminal, one live line per phase; anywhere else, a plain line now and then. Both say the
phase, how far it is, how fast it goes, what time is left, and the latest true distances.
"""

import re
import sys
from collections import deque
from collections.abc import Callable, Mapping
from time import perf_counter
from types import TracebackType
from typing import Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as Bars


SECONDS_BETWEEN_LINES = 10.0
WINDOW_S = 20.0
"""Speed is measured over this time."""
UNITS = {"collect": "images", "fit": "steps", "practise": "steps", "evaluate": "goals"}
"""What each phase counts."""
SHOWN = {
    r"eval/(\w+)_distance_m": ("{} {:.1f} cm", 100.0),
    r"vae/(error|kl)_nats": ("{} {:.3g} nats", 1.0),
}
"""Which metrics are shown, how, and the factor that brings them to the unit shown."""


@runtime_checkable
class Progress(Protocol):
    """What a long computation tells about itself; a context that ends the display."""

    def begin(self, phase: str, total: int) -> None:
        """Starts a phase of so many steps; the one before it is over."""

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """So many steps of the phase are done; the latest metrics, any number of them."""

    def note(self, text: str) -> None:
        """Says something once."""

    def __enter__(self) -> "Progress":
        """Starts the display."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the display, whatever happened."""


def open_progress() -> Progress:
    """The display that fits standard error: live on a terminal, plain lines elsewhere."""
    if sys.stderr.isatty():
        return LiveProgress(Console(stderr=True))
    return PlainProgress(lambda line: sys.stderr.write(f"{line}\n"))


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


class PlainProgress:
    """Plain lines: at most one in ten seconds, and one at each phase's end."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """Makes the display; ``say`` prints a line."""
        self._say = say
        self._phase: Phase | None = None
        self._latest: dict[str, str] = {}
        self._last_line_s = perf_counter()

    def begin(self, phase: str, total: int) -> None:
        """Starts a phase."""
        self._end_phase()
        self._latest = {name: text for name, text in self._latest.items() if "eval" in name}
        self._phase = Phase(phase, total)

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """Prints a line if the last one is long ago."""
        if self._phase is None:
            return
        self._phase.advance(done)
        self._latest |= shown_metrics(latest)
        if perf_counter() - self._last_line_s >= SECONDS_BETWEEN_LINES:
            counted = f"{done:,} of {self._phase.total:,}"
            self._print(f"{self._phase.name}: {counted}", self._phase.pace)

    def note(self, text: str) -> None:
        """Prints the text on a line of its own."""
        self._say(text)

    def __enter__(self) -> "PlainProgress":
        """Nothing to start."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Prints the last phase's end, unless it did not come to one."""
        if error is None:
            self._end_phase()

    def _end_phase(self) -> None:
        if self._phase is not None:
            self._print(self._phase.summary)
        self._phase = None

    def _print(self, *parts: str) -> None:
        self._last_line_s = perf_counter()
        self.note(", ".join(part for part in (*parts, *self._latest.values()) if part))


class LiveProgress:
    """One live line per phase."""

    def __init__(self, console: Console) -> None:
        """Makes the display on that console."""
        self._bars = Bars(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("[dim]{task.fields[pace]}"),
            TextColumn("{task.fields[latest]}"),
            console=console,
        )
        self._task: TaskID | None = None
        self._phase: Phase | None = None
        self._latest: dict[str, str] = {}

    def begin(self, phase: str, total: int) -> None:
        """Starts a line."""
        self._end_phase()
        self._latest = {name: text for name, text in self._latest.items() if "eval" in name}
        self._phase = Phase(phase, total)
        self._task = self._bars.add_task(phase, total=total, pace="", latest="")

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """Redraws the line."""
        if self._phase is None or self._task is None:
            return
        self._phase.advance(done)
        self._latest |= shown_metrics(latest)
        text = "  ".join(self._latest.values())
        self._bars.update(self._task, completed=done, pace=self._phase.pace, latest=text)

    def note(self, text: str) -> None:
        """Prints the text above the lines."""
        self._bars.console.print(text, markup=False, highlight=False)

    def __enter__(self) -> "LiveProgress":
        """Starts drawing."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops drawing; what was drawn stays."""
        if error is None:
            self._end_phase()
        self._bars.stop()

    def _end_phase(self) -> None:
        if self._phase is not None and self._task is not None:
            took = f"in {duration(self._phase.elapsed_s)}"
            self._bars.update(self._task, completed=self._phase.total, pace=took)
        self._phase = None


def shown_metrics(metrics: Mapping[str, float]) -> dict[str, str]:
    """The metrics worth a place on the line, as text: ``hand 1.2 cm``."""
    texts = {}
    for name, value in metrics.items():
        for pattern, (text, factor) in SHOWN.items():
            if match := re.fullmatch(pattern, name):
                texts[name] = text.format(match[1], factor * value)
    return {name: text for name, text in texts.items() if "do_nothing" not in text}


def duration(seconds: float) -> str:
    """A length of time as a person says it: ``48 s``, ``2 min 5 s``, ``1 h 4 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
