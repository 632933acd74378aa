"""Tables for the terminal, and JSON for programs."""

import json
import sys
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from rig.terminal import print_line, print_row, writing_stdout
from rig.units import amount, object_of


COLUMNS = {
    "median": "median",
    "mean": "mean",
    "spread": "std",
    "no-op policy": "do_nothing_median",
}
"""Columns of an evaluation, and the keys of their values."""


def print_json(values: dict[str, Any]) -> None:
    """Print one JSON object."""
    print_line(json.dumps(values, indent=2))


def print_evaluation(evaluation: dict[str, Any]) -> None:
    """Print an evaluation's distances, one object per row, and by number of objects."""
    title = "{task}: {num_episodes} {goals} goal images, after {num_env_steps:,} steps"
    rows = distance_rows(evaluation["distances"])
    if "success_share" in evaluation:
        share = f"{evaluation['success_share']:.0%}"
        rows.append(["success rate (the task's own)", share, *[""] * (len(COLUMNS) - 1)])
    about = title.format(**{"goals": "test"} | evaluation)  # older evaluations do not name them
    print_table(about, ["distance", *COLUMNS], rows)
    for num, part in evaluation.get("by_num_objects", {}).items():
        about = f"objects in view: {num}, in {part['num_episodes']} goal images"
        rows = distance_rows({name: part[name] for name in part if name != "num_episodes"})
        print_table(about, ["distance", *COLUMNS], rows)


def distance_rows(distances: dict[str, dict[str, float]]) -> list[list[str]]:
    """Return one row for each distance: its object, and its values with their unit."""
    return [
        [object_of(name), *(amount(name, values[key]) for key in COLUMNS.values())]
        for name, values in distances.items()
    ]


def print_attempt(summary: dict[str, Any]) -> None:
    """Print the distances at the start and at the end of an attempt."""
    latent = summary["latent_distance"]
    rows = [["latent", f"{latent['start']:.2f}", f"{latent['end']:.2f}"]]
    for name, values in summary["distances"].items():
        ends = (amount(name, values[end]) for end in ("start", "end"))
        rows.append([object_of(name), *ends])
    print_table(f"{summary['task']}: one goal image", ["distance", "start", "end"], rows)


def print_examination(examination: dict[str, Any]) -> None:
    """Print what `rig doctor` measured."""
    facts = {key: examination[key] for key in ("device", "num_cores", "camera")}
    installed = facts | examination["versions"]
    rows = [[name.replace("_", " "), str(value)] for name, value in installed.items()]
    print_table("Installed", ["", ""], rows)
    speeds = examination["speed_per_s"]
    rows = [[name.replace("_", " "), f"{speed:,} /s"] for name, speed in speeds.items()]
    print_table("Speed here", ["", ""], rows)


def print_table(
    title: str, columns: list[str], rows: list[list[str]], *, only_names_fold: bool = False
) -> None:
    """Print a table: aligned on a terminal, with tabs between the cells anywhere else.

    Args:
        title: Printed above it.
        columns: Their names.
        rows: One cell for each column.
        only_names_fold: On a narrow terminal, fold the first column and no other.
    """
    if not is_terminal():
        print_line(title)
        print_rows(columns, rows)
        return
    # No markup: intervals are in brackets, and a method may be called `push [old]` or `:x:`.
    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    with writing_stdout():
        # Not as the table's own title, which would fold at the width of the table.
        console.print(title, style="bold")
        console.print(aligned(columns, rows, only_names_fold=only_names_fold))


def is_terminal() -> bool:
    """Return whether standard output is a terminal, or is said to be by ``FORCE_COLOR``."""
    return Console(file=sys.stdout).is_terminal


def print_listing(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table whose rows are for programs too: without a title except on a terminal."""
    if is_terminal():
        print_table(title, columns, rows)
    else:
        print_rows(columns, rows)


def print_rows(columns: list[str], rows: list[list[str]]) -> None:
    """Print the names of the columns, if they have any, and the rows, with tabs between."""
    for cells in [columns] * any(columns) + rows:
        print_row(cells)


def aligned(columns: list[str], rows: list[list[str]], *, only_names_fold: bool) -> Table:
    """Return a table without markup: names at the left, numbers at the right."""
    table = Table(box=None, pad_edge=False, show_header=any(columns))
    for index, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if index else "left"
        no_wrap = only_names_fold and index > 0
        table.add_column(
            column, justify=justify, header_style="dim", overflow="fold", no_wrap=no_wrap
        )
    for row in rows:
        table.add_row(*row)
    return table
