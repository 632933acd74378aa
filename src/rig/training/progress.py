"""Progress of a long run on standard error: live bars, or a plain line now and then.

Both show the phase, how far it is, its speed, the time left, and the latest metrics. Bars need
a terminal, or a notebook with ipywidgets; log files and CI get plain lines.
"""

import re
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from time import perf_counter
from types import TracebackType
from typing import Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, Task, TextColumn
from rich.progress import Progress as Bars

from rig.terminal import lossy_stderr, print_to_stderr
from rig.units import amount, duration


SECONDS_BETWEEN_LINES = 10.0
COUNTED = {"collect": "images", "evaluate": "goals", "judge": "images"}
"""What each phase counts; all others count steps."""
DISTANCE = re.compile(r"eval/(?!do_nothing)(\w+)_distance_[a-z]+")
FIT = re.compile(r"vae/(error|kl)_nats")


@runtime_checkable
class Progress(Protocol):
    """A display of a long run."""

    def begin(self, phase: str, total: int) -> None:
        """End the phase before, and start one of ``total`` steps."""

    def advance(self, done: int, metrics: Mapping[str, float]) -> None:
        """Show that ``done`` steps of the phase are done, and the latest metrics."""

    def note(self, text: str) -> None:
        """Show a line of text."""

    def follow(self, status: Callable[[], str]) -> None:
        """Show also what this returns, whenever progress is shown."""

    def __enter__(self) -> "Progress":
        """Start the display."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the display; an interrupted phase is not shown as done."""


class LiveProgress:
    """One live bar per phase."""

    def __init__(self, bars: Bars) -> None:
        """Keep the bars; they are drawn inside the context only."""
        self._bars = bars
        self._task: Task | None = None
        self._latest: dict[str, str] = {}
        self._status: Callable[[], str] = str

    @property
    def phase_name(self) -> str:
        """The name of the phase under way, empty before the first one."""
        return self._task.description if self._task else ""

    def begin(self, phase: str, total: int) -> None:
        """End the phase before, and start one of ``total`` steps."""
        self._end_phase()
        # The metrics of a fit say nothing about the phase after it; distances do.
        self._latest = {name: text for name, text in self._latest.items() if "eval" in name}
        self._bars.add_task(phase, total=total, pace="", latest="")
        self._task = self._bars.tasks[-1]

    def advance(self, done: int, metrics: Mapping[str, float]) -> None:
        """Show that ``done`` steps of the phase are done, and the metrics worth a place."""
        if self._task is None:
            return
        self._latest |= shown_metrics(metrics)
        self._bars.update(self._task.id, completed=done)
        text = "  ".join(part for part in (*self._latest.values(), self._status()) if part)
        self._bars.update(self._task.id, pace=pace(self._task), latest=text)

    def follow(self, status: Callable[[], str]) -> None:
        """Show also what this returns, whenever progress is shown."""
        self._status = status

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text, markup=False, highlight=False)

    def __enter__(self) -> "LiveProgress":
        """Start to draw."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing; the bars stay."""
        if error is None:
            self._end_phase()
        self._bars.stop()

    def _end_phase(self) -> None:
        if self._task is not None:
            took = f"in {duration(self._task.elapsed or 0.0)}"
            self._bars.update(self._task.id, completed=self._task.total, pace=took)
        self._task = None


class PlainProgress(LiveProgress):
    """Plain lines: at most one in ten seconds, and one at the end of each phase."""

    def __init__(
        self,
        write: Callable[[str], object],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """Make the display.

        Args:
            write: Writes one line.
            clock: Returns the time in seconds.
        """
        super().__init__(Bars(disable=True, get_time=clock))
        self._write, self._clock = write, clock
        self._last_line_s = clock()

    def advance(self, done: int, metrics: Mapping[str, float]) -> None:
        """Write a line if the last one was ten seconds ago."""
        super().advance(done, metrics)
        if self._task and self._clock() - self._last_line_s >= SECONDS_BETWEEN_LINES:
            counted = f"{self.phase_name}: {done:,} of {self._task.total:,.0f}"
            self._write_line(counted, pace(self._task))

    def note(self, text: str) -> None:
        """Write a line."""
        self._write(text)

    def _end_phase(self) -> None:
        if (task := self._task) is not None:
            counted = f"{task.completed:,.0f} {unit_of(task)}"
            self._write_line(f"{self.phase_name}: {counted} in {duration(task.elapsed or 0.0)}")
        self._task = None

    def _write_line(self, *parts: str) -> None:
        self._last_line_s = self._clock()
        texts = (*parts, *self._latest.values(), self._status())
        self._write(", ".join(text for text in texts if text))


def open_progress() -> Progress:
    """Return live bars on a terminal or in a notebook that draws them, else plain lines."""
    console = Console(file=lossy_stderr())
    # Without ipywidgets, rich warns at each redraw in a notebook.
    is_notebook = console.is_jupyter and find_spec("ipywidgets") is not None
    is_live = (sys.stderr.isatty() and has_unicode(console)) or is_notebook
    return live_progress(console) if is_live else PlainProgress(print_to_stderr)


def has_unicode(console: Console) -> bool:
    """Return whether a terminal has the characters of bars; an ASCII one gets plain lines."""
    return console.encoding.startswith("utf")


def live_progress(console: Console) -> LiveProgress:
    """Return live bars on a console."""
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("[dim]{task.fields[pace]}"),
        TextColumn("{task.fields[latest]}"),
    )
    return LiveProgress(Bars(*columns, console=console))


def pace(task: Task) -> str:
    """Return speed and time left, as ``1,200 steps/s, 1 min 20 s left``, if they are known."""
    if not task.speed or task.time_remaining is None:
        return ""
    return f"{task.speed:,.0f} {unit_of(task)}/s, {duration(task.time_remaining)} left"


def unit_of(task: Task) -> str:
    """Return what a phase counts."""
    return COUNTED.get(task.description, "steps")


def shown_metrics(metrics: Mapping[str, float]) -> dict[str, str]:
    """Return the text of each metric worth a place on the line, as ``hand 1.2 cm``."""
    texts = {}
    for name, value in metrics.items():
        if match := DISTANCE.fullmatch(name):
            texts[name] = f"{match[1]} {amount(name, value)}"
        elif match := FIT.fullmatch(name):
            texts[name] = f"{match[1]} {value:.3g} nats"
    return texts
