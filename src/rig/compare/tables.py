"""What `rig compare` shows and writes: tables, also in Markdown and CSV, plots, and JSON."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from rig.compare.comparison import S_PER_MINUTE, Comparison, Line, Overall
from rig.compare.curves import save_curves
from rig.report.tables import print_table
from rig.sweep.spec import slug
from rig.units import duration


COLUMNS = ("method", "seeds", "distance left", "mean", "worst", "beats", "steps", "training")
SHOWN = ("method", "seeds", "distance left", "beats", "steps", "training")
"""Those that a terminal has room for."""
OVERALL_COLUMNS = ("method", "seeds", "share left")


def print_comparison(comparison: Comparison) -> None:
    """Prints a table for each thing measured on each task, and the one over all tasks."""
    for task in comparison.tasks:
        for thing in comparison.things(task):
            lines = comparison.lines(task, thing)
            title = f"{task}: {thing}, {lines[0].unit}. {nothing_scores(lines[0])}"
            rows = [shown(line) for line in lines]
            print_table(title, list(SHOWN), rows, only_names_fold=True)
    if len(comparison.tasks) > 1:
        overall = comparison.over_tasks()
        title = f"All tasks. {about_shares(comparison, overall)}"
        cells_of_all = [overall_cells(row) for row in overall]
        print_table(title, list(OVERALL_COLUMNS), cells_of_all, only_names_fold=True)


def write_comparison(directory: Path, comparison: Comparison) -> list[Path]:
    """Writes comparison.md, comparison.csv and a plot for each task; their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    plots = write_plots(directory, comparison)
    page, table = directory / "comparison.md", directory / "comparison.csv"
    page.write_text(markdown(comparison, plots))
    with table.open("w", newline="") as file:
        names = [entry.name for entry in fields(Line)]
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for line in comparison.all_lines():
            writer.writerow(asdict(line) | {"run_ids": " ".join(line.run_ids)})
    return [page, table, *plots.values()]


def write_plots(directory: Path, comparison: Comparison) -> dict[tuple[str, str], Path]:
    """Draws a plot for each thing that a task is about."""
    plots = {}
    for task in comparison.tasks:
        for thing in comparison.main_things(task):
            path = directory / f"{slug(f'{task}-{thing}')}.png"
            save_curves(path, comparison, task, thing)
            plots[task, thing] = path
    return plots


def markdown(comparison: Comparison, plots: dict[tuple[str, str], Path]) -> str:
    """The comparison as a page of its own."""
    parts = ["# Comparison", *task_sections(comparison, plots), *over_tasks(comparison)]
    return "\n\n".join([*parts, legend(comparison)]) + "\n"


def task_sections(comparison: Comparison, plots: dict[tuple[str, str], Path]) -> list[str]:
    """A heading, a table and a plot for each thing measured on each task."""
    parts = []
    for task in comparison.tasks:
        for thing in comparison.things(task):
            lines = comparison.lines(task, thing)
            parts += [f"## {task}: {thing}", nothing_scores(lines[0])]
            parts.append(grid(COLUMNS, map(cells, lines)))
            if (task, thing) in plots:
                parts.append(f"![{task}: {thing}]({plots[task, thing].name})")
    return parts


def nothing_scores(line: Line) -> str:
    """What standing still comes to, in words."""
    return f"Doing nothing scores {line.show(line.do_nothing)} {line.unit}."


def over_tasks(comparison: Comparison) -> list[str]:
    """A heading, what is told, and the table over all tasks, if there are several."""
    if len(comparison.tasks) < 2:
        return []
    overall = comparison.over_tasks()
    table = [grid(OVERALL_COLUMNS, map(overall_cells, overall))] if overall else []
    return ["## All tasks", about_shares(comparison, overall), *table]


def about_shares(comparison: Comparison, overall: Sequence[Overall]) -> str:
    """What a share over tasks is, and which methods have none."""
    *most, last = comparison.tasks
    about = (
        "The share of the way that is left (0: at the goal, 1: no better than doing nothing): "
        f"the mean over {', '.join(most)} and {last} of the interquartile mean over seeds, "
        "with its stratified bootstrap 95 % interval."
    )
    has_share = {row.method for row in overall}
    left_out = [method for method in comparison.methods if method not in has_share]
    if not left_out:
        return about
    why = "not run on every task, or on one where doing nothing scores 0"
    return f"{about} Left out: {', '.join(left_out)}, {why}."


def overall_cells(row: Overall) -> list[str]:
    """One method over all tasks; an interval if every task has several seeds."""
    least, most = min(row.num_seeds.values()), max(row.num_seeds.values())
    seeds = str(most) if least == most else f"{least} to {most}"
    ends = f" [{row.low:.2f}, {row.high:.2f}]" if least > 1 else ""
    return [row.method, seeds, f"{row.share_left:.2f}{ends}"]


def legend(comparison: Comparison) -> str:
    """What the columns mean."""
    return (
        "*distance left*: the interquartile mean over seeds of the median over goal pictures, "
        "with its stratified bootstrap 95 % interval. *beats*: the probability that a run ends "
        f"nearer than one of *{comparison.reference}*, with its interval. *training*: the "
        "median over seeds, evaluation left out."
    )


def shown(line: Line) -> list[str]:
    """One method as a terminal shows it; the unit is in the title."""
    told = dict(zip(COLUMNS, cells(line), strict=True)) | {"distance left": left(line)}
    return [told[name] for name in SHOWN]


def left(line: Line) -> str:
    """How much of the way is left, with its interval if there are several seeds."""
    ends = f" [{line.show(line.low)}, {line.show(line.high)}]" if line.num_seeds > 1 else ""
    return f"{line.show(line.iqm)}{ends}"


def cells(line: Line) -> list[str]:
    """One method as the cells of a table."""
    better = "–"
    if line.better is not None:
        better = f"{line.better:.2f} [{line.better_low:.2f}, {line.better_high:.2f}]"
    return [
        line.method,
        str(line.num_seeds),
        f"{left(line)} {line.unit}",
        line.show(line.mean),
        line.show(line.worst),
        better,
        f"{line.num_env_steps:,}",
        duration(line.training_minutes * S_PER_MINUTE),
    ]


def grid(columns: Sequence[str], rows: Any, num_words: int = 1) -> str:
    """Rows as a Markdown table: so many columns of words at the left, numbers at the right."""
    rules = ["---" if index < num_words else "---:" for index in range(len(columns))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rules, *rows))


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Every number as one JSON object."""
    return {
        "reference": comparison.reference,
        "lines": [asdict(line) for line in comparison.all_lines()],
        "over_tasks": [asdict(row) for row in comparison.over_tasks()],
    }
