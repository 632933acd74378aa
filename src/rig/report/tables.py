"""Numbers for the person at the terminal, or for the program that reads them."""

import json
import sys
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

from rig.units import amount, object_of


COLUMNS = {
    "median": "median",
    "mean": "mean",
    "spread": "std",
    "do nothing": "do_nothing_median",
}
"""The columns of an evaluation, and the keys that they show."""


def print_json(values: dict[str, Any]) -> None:
    """Prints one JSON object."""
    sys.stdout.write(json.dumps(values, indent=2) + "\n")


def print_line(text: str) -> None:
    """Prints one line to standard output, as it is."""
    sys.stdout.write(text + "\n")


def print_notice(text: str) -> None:
    """Says something on standard error."""
    sys.stderr.write(f"rig: {text}\n")


def print_evaluation(evaluation: dict[str, Any]) -> None:
    """Prints an evaluation's distances, one object per row, and by number of objects."""
    title = "{task}: {num_episodes} {goals} goal pictures, after {num_env_steps:,} steps"
    rows = distance_rows(evaluation["distances"])
    if "success_share" in evaluation:
        share = f"{evaluation['success_share']:.0%}"
        rows.append(["success by its own rule", share, *[""] * (len(COLUMNS) - 1)])
    about = title.format(**{"goals": "test"} | evaluation)  # a table kept earlier has no other
    print_table(about, ["distance left", *COLUMNS], rows)
    for num, part in evaluation.get("by_num_objects", {}).items():
        about = f"objects in view: {num}, in {part['num_episodes']} goal pictures"
        rows = distance_rows({name: part[name] for name in part if name != "num_episodes"})
        print_table(about, ["distance left", *COLUMNS], rows)


def distance_rows(distances: dict[str, dict[str, float]]) -> list[list[str]]:
    """One row for each distance: what it is of, and its figures with their unit."""
    return [
        [object_of(name), *(amount(name, values[key]) for key in COLUMNS.values())]
        for name, values in distances.items()
    ]


def print_attempt(summary: dict[str, Any]) -> None:
    """Prints the distances at the start and at the end of an attempt."""
    latent = summary["latent_distance"]
    rows = [["latent", f"{latent['start']:.2f}", f"{latent['end']:.2f}"]]
    for name, values in summary["distances"].items():
        ends = (amount(name, values[end]) for end in ("start", "end"))
        rows.append([object_of(name), *ends])
    print_table(f"{summary['task']}: one goal picture", ["distance", "start", "end"], rows)


def print_examination(examination: dict[str, Any]) -> None:
    """Prints what `rig doctor` found."""
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
    """Prints a table: names at the left, numbers at the right, all of it as it is.

    Args:
        title: Stands above it.
        columns: What their heads say.
        rows: A cell for each column.
        only_names_fold: Where the terminal is narrow, the first column gives way to all others.
    """
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if index else "left"
        whole = only_names_fold and index > 0
        table.add_column(
            column, justify=justify, header_style="dim", overflow="fold", no_wrap=whole
        )
    for row in rows:
        table.add_row(*row)
    # A method may be called `push [old]` or `:x:`, and an interval is in brackets: no markup.
    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    # Not as the table's own title: that would fold where a narrow table ends.
    console.print(title, style="bold")
    console.print(table)
