"""The best policy of a run so far, in ``RUN/best``: every command takes it as a finished run.

Which one is the best follows from the metrics alone, so that a run that was stopped and resumed
keeps the same one.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from rig.runs.atomic_files import atomic_write, write_json
from rig.runs.run import Run


DISTANCE = re.compile(r"eval/(?!do_nothing_)\w+_distance_(?!mean_)\w+")
"""Metrics that are medians of distances to goals."""


def is_best(rows: Sequence[Mapping[str, float]]) -> bool:
    """Return whether the last evaluation is better than all before it."""
    totals = total_distances(rows)
    return bool(totals) and all(totals[-1] < total for total in totals[:-1])


def total_distance(row: Mapping[str, float]) -> float | None:
    """Return the sum of all objects' distances from their goals; None if not measured."""
    distances = [value for name, value in row.items() if DISTANCE.fullmatch(name)]
    return sum(distances) if distances else None


def total_distances(rows: Sequence[Mapping[str, float]]) -> list[float]:
    """Return the same for each evaluation among the metrics, in order."""
    return [total for row in rows if (total := total_distance(row)) is not None]


def keep_best(run: Run, files: Mapping[str, bytes], table: Mapping[str, Any]) -> None:
    """Write an agent's files and its evaluation in place of the best one before.

    The table says that the agent was chosen on these goals, and among how many evaluations: the
    minimum of several noisy numbers is biased low.
    """
    directory = run.directory / "best"
    directory.mkdir(exist_ok=True)
    for name in ("config.json", "origin.json"):
        shutil.copyfile(run.directory / name, directory / name)
    for name, data in files.items():
        atomic_write(directory / name, data)
    chosen = {
        "chosen_on": run.config.evaluate.goals,
        "chosen_of_evaluations": len(total_distances(run.metrics())),
    }
    write_json(directory / "evaluation.json", dict(table) | chosen)
