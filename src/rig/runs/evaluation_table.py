"""The table of an evaluation as a run keeps it, looked at before it is told."""

from pathlib import Path
from typing import Any

from rig.errors import RunError


COUNTS = ("num_episodes", "num_env_steps")
OF_A_DISTANCE = ("median", "mean", "std", "do_nothing_median")


def check_evaluation(evaluation: dict[str, Any], path: Path) -> dict[str, Any]:
    """The table, if it is one.

    Raises:
        RunError: A count or a number of a distance is missing, or is no number.
    """
    distances = evaluation.get("distances", {})
    rows = list(distances.values()) if isinstance(distances, dict) else [None]
    wanted = [(evaluation, COUNTS)] if distances else []
    for values, names in [*wanted, *((row, OF_A_DISTANCE) for row in rows)]:
        for name in names:
            number = values.get(name) if isinstance(values, dict) else None
            if type(number) not in (int, float):
                raise RunError(f"{path} says {name} = {number!r}; the run is damaged")
    return evaluation
