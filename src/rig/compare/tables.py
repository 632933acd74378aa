"""What `rig compare` prints and writes: tables, also as Markdown and CSV, plots, and JSON."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from math import isnan
from pathlib import Path
from typing import Any

from rig.compare.comparison import S_PER_MINUTE, Comparison, MethodScore, OverallScore
from rig.compare.curves import save_curves
from rig.report.tables import print_table
from rig.runs.atomic_files import complete_file
from rig.sweep.spec import slug
from rig.units import duration


COLUMNS = ("method", "seeds", "median", "mean", "worst seed", "beats", "steps", "training")
PRINTED = ("method", "seeds", "median", "mean", "beats", "steps", "training")
"""Columns that a terminal has room for."""
OVERALL_COLUMNS = ("method", "seeds", "normalized distance")


def print_comparison(comparison: Comparison) -> None:
    """Print a table for each object of each task, and the table over all tasks."""
    for task in comparison.tasks:
        for name in comparison.objects(task):
            scores = comparison.scores(task, name)
            title = f"{task}: {name}, {scores[0].unit}. {no_op_score(scores[0])}"
            rows = [printed_cells(score) for score in scores]
            print_table(title, list(PRINTED), rows, only_names_fold=True)
    if len(comparison.tasks) > 1:
        overall = comparison.over_tasks()
        title = f"All tasks. {about_overall(comparison, overall)}"
        rows = [overall_cells(score) for score in overall]
        print_table(title, list(OVERALL_COLUMNS), rows, only_names_fold=True)


def write_comparison(directory: Path, comparison: Comparison) -> list[Path]:
    """Write comparison.md, comparison.csv and the plots; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    plots = write_plots(directory, comparison)
    page, table = directory / "comparison.md", directory / "comparison.csv"
    with complete_file(page) as partial:
        partial.write_text(markdown(comparison, plots), encoding="utf-8")
    with complete_file(table) as partial:
        write_csv(partial, comparison)
    return [page, table, *plots.values()]


def write_csv(path: Path, comparison: Comparison) -> None:
    """Write every score as a row."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [entry.name for entry in fields(MethodScore)])
        writer.writeheader()
        for score in comparison.all_scores():
            writer.writerow(asdict(score) | {"run_ids": " ".join(score.run_ids)})


def write_plots(directory: Path, comparison: Comparison) -> dict[tuple[str, str], Path]:
    """Draw a plot for each main object of each task; return its path by task and object."""
    plots = {}
    for task in comparison.tasks:
        for name in comparison.main_objects(task):
            path = directory / f"{slug(f'{task}-{name}')}.png"
            save_curves(path, comparison, task, name)
            plots[task, name] = path
    return plots


def markdown(comparison: Comparison, plots: dict[tuple[str, str], Path]) -> str:
    """Return the comparison as a page."""
    parts = ["# Comparison", *task_sections(comparison, plots), *overall_section(comparison)]
    return "\n\n".join([*parts, legend(comparison)]) + "\n"


def task_sections(comparison: Comparison, plots: dict[tuple[str, str], Path]) -> list[str]:
    """Return a heading, a table and a plot for each object of each task."""
    parts = []
    for task in comparison.tasks:
        for name in comparison.objects(task):
            scores = comparison.scores(task, name)
            parts += [f"## {task}: {name}", no_op_score(scores[0])]
            parts.append(markdown_table(COLUMNS, map(cells, scores)))
            if (task, name) in plots:
                parts.append(f"![{task}: {name}]({plots[task, name].name})")
    return parts


def overall_section(comparison: Comparison) -> list[str]:
    """Return a heading, an explanation and the table over all tasks, if there are several."""
    if len(comparison.tasks) < 2:
        return []
    overall = comparison.over_tasks()
    rows = map(overall_cells, overall)
    table = [markdown_table(OVERALL_COLUMNS, rows)] if overall else []
    return ["## All tasks", about_overall(comparison, overall), *table]


def no_op_score(score: MethodScore) -> str:
    """Return the distance of the no-op policy in words."""
    return f"No-op policy: {score.show(score.do_nothing)} {score.unit}."


def about_overall(comparison: Comparison, overall: Sequence[OverallScore]) -> str:
    """Return what a normalized distance is, and which methods have none."""
    *most, last = comparison.tasks
    about = (
        "Normalized distance is the final distance divided by that of the no-op policy (0: at "
        f"the goal, 1: no better than no-op), averaged over {', '.join(most)} and {last}, each "
        "by its interquartile mean over seeds, with a stratified bootstrap 95 % interval."
    )
    listed = {score.method for score in overall}
    left_out = [method for method in comparison.methods if method not in listed]
    if not left_out:
        return about
    why = "not run on every task, or on one where the no-op policy scores 0"
    return f"{about} Left out: {', '.join(left_out)} ({why})."


def legend(comparison: Comparison) -> str:
    """Return what the columns mean."""
    return (
        "*median*: median over goal images, then the interquartile mean over seeds with its "
        "bootstrap 95 % interval. *mean*: mean over goal images and seeds. *worst seed*: its "
        "median. *beats*: the probability that a run ends nearer than one of "
        f"*{comparison.reference}*, with its interval. *training*: median time over seeds, "
        "without evaluation."
    )


def overall_cells(score: OverallScore) -> list[str]:
    """Return the cells of one method over all tasks. An interval needs several seeds a task."""
    least, most = min(score.num_seeds.values()), max(score.num_seeds.values())
    seeds = str(most) if least == most else f"{least} to {most}"
    ends = f" [{score.low:.2f}, {score.high:.2f}]" if least > 1 else ""
    return [score.method, seeds, f"{score.normalized_distance:.2f}{ends}"]


def printed_cells(score: MethodScore) -> list[str]:
    """Return the cells of one method for a terminal; the unit is in the title."""
    by_column = dict(zip(COLUMNS, cells(score), strict=True)) | {"median": median(score)}
    return [by_column[name] for name in PRINTED]


def median(score: MethodScore) -> str:
    """Return the score of a method, with its interval if there are several seeds."""
    ends = (
        f" [{score.show(score.low)}, {score.show(score.high)}]" if score.num_seeds > 1 else ""
    )
    return f"{score.show(score.iqm)}{ends}"


def cells(score: MethodScore) -> list[str]:
    """Return the cells of one method."""
    better = "–"
    if score.better is not None:
        better = f"{score.better:.2f} [{score.better_low:.2f}, {score.better_high:.2f}]"
    return [
        score.method,
        str(score.num_seeds),
        f"{median(score)} {score.unit}",
        "–" if isnan(score.mean_distance) else score.show(score.mean_distance),
        score.show(score.worst),
        better,
        f"{score.num_env_steps:,}",
        duration(score.training_minutes * S_PER_MINUTE),
    ]


def markdown_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], num_left: int = 1
) -> str:
    """Return rows as a Markdown table, with the first columns aligned at the left."""
    rules = ["---" if index < num_left else "---:" for index in range(len(columns))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (columns, rules, *rows))


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return every number as one JSON object."""
    return {
        "reference": comparison.reference,
        "scores": [asdict(score) for score in comparison.all_scores()],
        "over_tasks": [asdict(score) for score in comparison.over_tasks()],
    }
