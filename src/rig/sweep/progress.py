"""The board of a sweep: how far it is, on standard error, for the person who waits."""

from collections import Counter
from collections.abc import Sequence
from time import perf_counter
from types import TracebackType
from typing import Protocol, runtime_checkable

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rig.report.tables import print_line, print_table
from rig.sweep.status import DONE, FAILED, RUNNING, STATES, Standing
from rig.training.display import (
    SECONDS_BETWEEN_LINES,
    Display,
    PlainLines,
    Say,
    is_live,
    say_plainly,
)
from rig.training.progress import shown_metrics
from rig.units import duration


COLUMNS = ("run", "state", "steps", "distance left", "lost")
MOST_ROWS = 20
"""Rows of the live table: what goes on and what failed, as many as fit on a screen."""


@runtime_checkable
class Board(Display, Protocol):
    """Shows how a sweep goes on."""

    def show(self, standings: Sequence[Standing], num_cores: int) -> None:
        """Shows where every run stands."""


def open_board() -> Board:
    """The board that fits standard error: live on a terminal, plain lines elsewhere."""
    return LiveBoard(Console(stderr=True)) if is_live() else PlainBoard(say_plainly)


class Clock:
    """Tells from the runs' pace how long a sweep will take yet."""

    def __init__(self) -> None:
        self._start_s = perf_counter()
        self._first: int | None = None

    def left(self, standings: Sequence[Standing]) -> str:
        """``about 2 h 5 min left``; empty while nothing has moved."""
        done = sum(steps_done(standing) for standing in standings)
        if self._first is None:
            self._first = done
        asked = sum(s.asked_env_steps for s in standings if s.state != FAILED)
        counted = done - self._first
        if counted <= 0:
            return ""
        left_s = (asked - done) * (perf_counter() - self._start_s) / counted
        return f"about {duration(max(left_s, 0))} left"


def steps_done(standing: Standing) -> int:
    """Steps of a run that count as done: all of a finished one, none of a failed one."""
    if standing.state == FAILED:
        return 0
    if standing.state == DONE:
        return standing.asked_env_steps
    return min(standing.num_env_steps, standing.asked_env_steps)


class PlainBoard(PlainLines, Clock):
    """Plain lines: one now and then, and one for each run that ends."""

    def __init__(self, say: Say) -> None:
        """Makes the display; ``say`` prints a line."""
        PlainLines.__init__(self, say)
        Clock.__init__(self)
        self._last_s = -SECONDS_BETWEEN_LINES

    def show(self, standings: Sequence[Standing], num_cores: int) -> None:
        """Prints the counts if the last line is long ago."""
        left = self.left(standings)
        if perf_counter() - self._last_s >= SECONDS_BETWEEN_LINES:
            self._last_s = perf_counter()
            self._say(", ".join(filter(None, [counts(standings), left])))


class LiveBoard(Clock):
    """A table that is redrawn: what goes on, what failed, and the counts."""

    def __init__(self, console: Console) -> None:
        """Makes the display on that console."""
        super().__init__()
        self._live = Live(console=console, refresh_per_second=2)

    def note(self, text: str) -> None:
        """Prints the text above the table."""
        self._live.console.print(text, markup=False, highlight=False)

    def show(self, standings: Sequence[Standing], num_cores: int) -> None:
        """Redraws the table."""
        shown = [s for s in standings if s.state in (RUNNING, FAILED)][:MOST_ROWS]
        table = Table(box=None, pad_edge=False)
        for column in COLUMNS:
            table.add_column(column, header_style="dim")
        for standing in shown:
            table.add_row(*map(Text, row(standing)))
        line = ", ".join(filter(None, [counts(standings), self.left(standings)]))
        cores = f"{line}; {num_cores} at once at most"
        self._live.update(Group(table, Text(cores)))

    def __enter__(self) -> "LiveBoard":
        """Starts drawing."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops drawing; what was drawn stays."""
        self._live.stop()


def counts(standings: Sequence[Standing]) -> str:
    """``3 of 8 done, 2 running, 3 waiting``."""
    states = Counter(standing.state for standing in standings)
    others = [f"{states[state]} {state}" for state in STATES if states[state] and state != DONE]
    return ", ".join([f"{states[DONE]} of {len(standings)} done", *others])


def row(standing: Standing) -> list[str]:
    """One run as the cells of a table."""
    return [
        standing.id,
        standing.state,
        f"{standing.num_env_steps:,} of {standing.asked_env_steps:,}",
        ", ".join(shown_metrics(standing.distances).values()),
        f"{standing.num_lost} times" if standing.num_lost else "",
    ]


def print_standings(name: str, standings: Sequence[Standing]) -> None:
    """Prints where every run stands, and under the table why those that failed did."""
    print_table(f"{name}: {counts(standings)}", list(COLUMNS), [row(s) for s in standings])
    for standing in standings:
        if standing.why:
            print_line(f"{standing.id}: {standing.why}")
