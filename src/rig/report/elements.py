"""What a report is made of: cards, tables and figures, as data for the template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.report.run_facts import Facts


Runs = Sequence[Facts]


@dataclass(frozen=True, slots=True)
class Card:
    """A number to see first."""

    number: str
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Table:
    """Names at the left, values at the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[bool] = ()
    """Rows to highlight."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An image or a video, and its caption."""

    path: Path
    caption: str


def captioned(runs: Runs, facts: Facts, text: str) -> str:
    """Return a text, after the run's name if there are several runs."""
    return text if len(runs) == 1 else f"{facts.label}. {text}"


def table_of(runs: Runs, rows: Mapping[str, Sequence[str]]) -> Table:
    """Return a table with a column for each run, without the rows that no run has."""
    shown = [[name, *cells] for name, cells in rows.items() if any(cells)]
    return Table(["", *(facts.label for facts in runs)], shown)
