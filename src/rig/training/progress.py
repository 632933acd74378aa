"""Progress of a long run: one live line per phase, or a plain line now and then.

Both say the phase, how far it is, how fast it goes, what time is left, and the latest true
distances.
"""

import re
from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from rig.training.display import (
    SECONDS_BETWEEN_LINES,
    Display,
    PlainLines,
    Say,
    is_live,
    say_plainly,
)
from rig.training.phase import Phase, duration


SHOWN = {
    r"eval/(\w+)_distance_m": ("{} {:.1f} cm", 100.0),
    r"eval/(\w+)_distance_rad": ("{} {:.3f} rad", 1.0),
    r"vae/(error|kl)_nats": ("{} {:.3g} nats", 1.0),
}
"""Which metrics are shown, how, and the factor that brings them to the unit shown."""


@runtime_checkable
class Progress(Display, Protocol):
    """What a long computation tells about itself."""

    def begin(self, phase: str, total: int) -> None:
        """Starts a phase of so many steps; the one before it is over."""

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """So many steps of the phase are done; the latest metrics, any number of them."""


def open_progress() -> Progress:
    """The display that fits standard error: live on a terminal, plain lines elsewhere."""
    return LiveProgress(Console(stderr=True)) if is_live() else PlainProgress(say_plainly)


class Telling:
    """The phase that goes on, and the latest metrics: what both displays keep."""

    def __init__(self) -> None:
        self._phase: Phase | None = None
        self._latest: dict[str, str] = {}

    def _turn_to(self, phase: str, total: int) -> None:
        """Begins a phase; of the latest metrics only true distances outlast the one before."""
        self._latest = {name: text for name, text in self._latest.items() if "eval" in name}
        self._phase = Phase(phase, total)


class PlainProgress(PlainLines, Telling):
    """Plain lines: at most one in ten seconds, and one at each phase's end."""

    def __init__(self, say: Say) -> None:
        """Makes the display; ``say`` prints a line."""
        PlainLines.__init__(self, say)
        Telling.__init__(self)
        self._last_line_s = perf_counter()

    def begin(self, phase: str, total: int) -> None:
        """Starts a phase."""
        self._end_phase()
        self._turn_to(phase, total)

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """Prints a line if the last one is long ago."""
        if self._phase is None:
            return
        self._phase.advance(done)
        self._latest |= shown_metrics(latest)
        if perf_counter() - self._last_line_s >= SECONDS_BETWEEN_LINES:
            counted = f"{done:,} of {self._phase.total:,}"
            self._print(f"{self._phase.name}: {counted}", self._phase.pace)

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


class LiveProgress(Telling):
    """One live line per phase."""

    def __init__(self, console: Console) -> None:
        """Makes the display on that console."""
        super().__init__()
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

    def begin(self, phase: str, total: int) -> None:
        """Starts a line."""
        self._end_phase()
        self._turn_to(phase, total)
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
