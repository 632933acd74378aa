"""The progress of a sweep on standard error."""

from collections.abc import Sequence
from time import perf_counter
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from rig.report.tables import is_terminal, print_rows, print_table
from rig.sweep.status import DONE, FAILED, RUNNING, RunStatus, count_states
from rig.terminal import lossy_stderr, print_line
from rig.training.progress import shown_metrics


COLUMNS = ("run", "state", "steps", "distance", "process lost")
MAX_ROWS = 20
"""Rows of the live table, so that it fits a screen."""
SPEED_PERIOD_S = 3600.0
"""The time left is estimated from this much of the past: runs report seldom."""
SECONDS_BETWEEN_LINES = 10.0


class SweepProgress:
    """A live table on a terminal; elsewhere a plain line now and then."""

    def __init__(self, console: Console | None = None) -> None:
        """Make the display; by default on standard error."""
        self._console = console or Console(file=lossy_stderr())
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeRemainingColumn(),
            speed_estimate_period=SPEED_PERIOD_S,
        )
        self._task = self._bar.add_task("", total=None)
        self._live = Live(console=self._console, refresh_per_second=2)
        self._last: dict[str, RunStatus] = {}
        self._last_line_s = -SECONDS_BETWEEN_LINES

    def note(self, text: str) -> None:
        """Print a line above the table."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def update(self, statuses: Sequence[RunStatus], num_cores: int) -> None:
        """Show the status of every run, and print a line for each that has changed."""
        for status in statuses:
            self._note_change(status)
        self._last = {status.id: status for status in statuses}
        self._bar.update(
            self._task,
            description=f"{count_states(statuses)}; at most {num_cores} at once",
            completed=sum(status.steps_done for status in statuses),
            total=sum(status.total_timesteps for status in statuses),
        )
        shown = [status for status in statuses if status.state in (RUNNING, FAILED)][:MAX_ROWS]
        if self._console.is_terminal:
            table = Table(*COLUMNS, box=None, pad_edge=False, header_style="dim")
            for status in shown:
                table.add_row(*map(Text, row(status)))
            self._live.update(Group(table, self._bar))
        elif perf_counter() - self._last_line_s >= SECONDS_BETWEEN_LINES:
            self._last_line_s = perf_counter()
            self.note(count_states(statuses))

    def _note_change(self, status: RunStatus) -> None:
        last = self._last.get(status.id)
        if last is None:
            return
        if status.num_lost > last.num_lost:
            self.note(f"{status.id}: its process was lost")
        if status.state != last.state and status.state in (DONE, FAILED):
            self.note(f"{status.id}: {status.state}{': ' if status.why else ''}{status.why}")

    def __enter__(self) -> "SweepProgress":
        """Start to draw."""
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing; what was drawn stays."""
        self._live.stop()


def row(status: RunStatus) -> list[str]:
    """Return the cells of one run."""
    return [
        status.id,
        status.state,
        f"{status.num_env_steps:,} of {status.total_timesteps:,}",
        ", ".join(shown_metrics(status.distances).values()),
        f"{status.num_lost} times" if status.num_lost else "",
    ]


def print_statuses(name: str, statuses: Sequence[RunStatus]) -> None:
    """Print the status of every run, and then why runs failed; in a pipe, as a column."""
    if not is_terminal():
        print_rows([*COLUMNS, "why"], [[*row(status), status.why] for status in statuses])
        return
    print_table(f"{name}: {count_states(statuses)}", list(COLUMNS), [row(s) for s in statuses])
    for status in statuses:
        if status.why:
            print_line(f"{status.id}: {status.why}")
