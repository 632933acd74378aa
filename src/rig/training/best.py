"""The best policy of a run so far: a directory that every verb takes as a finished run.

It lies in ``RUN/best``. Which one is the best follows from the metrics alone, so that a run
that was stopped and went on keeps the same one.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from rig.agent.agent import Agent, agent_files
from rig.runs.atomic_files import atomic_write, write_json
from rig.runs.run import Run


DISTANCE = re.compile(r"eval/(?!do_nothing_)\w+_distance_(?!mean_)\w+")
"""The metrics that are medians of distances left."""


def is_best(rows: Sequence[Mapping[str, float]]) -> bool:
    """Whether the last evaluation is better than all before it."""
    totals = total_distances(rows)
    return bool(totals) and all(totals[-1] < total for total in totals[:-1])


def total_distance(row: Mapping[str, float]) -> float | None:
    """What all things of a task are from their goals, added up; None if it was not measured."""
    distances = [value for name, value in row.items() if DISTANCE.fullmatch(name)]
    return sum(distances) if distances else None


def total_distances(rows: Sequence[Mapping[str, float]]) -> list[float]:
    """The same of each evaluation among the metrics, in their order."""
    return [total for row in rows if (total := total_distance(row)) is not None]


def keep_best(run: Run, policy: Agent, table: Mapping[str, Any]) -> None:
    """Writes the policy and how near it comes in the place of the best one before.

    The table then tells that its goals are those that the policy was chosen on, as the best of
    so many evaluations: the least of several numbers that vary is less than what it stands for.
    """
    directory = run.directory / "best"
    directory.mkdir(exist_ok=True)
    for name in ("config.json", "origin.json"):
        shutil.copyfile(run.directory / name, directory / name)
    for name, data in agent_files(policy).items():
        atomic_write(directory / name, data)
    chosen = {
        "chosen_on": run.config.evaluate.goals,
        "chosen_of_evaluations": len(total_distances(run.metrics())),
    }
    write_json(directory / "evaluation.json", dict(table) | chosen)
