"""The table of an evaluation as a run stores it, checked before it is shown."""

from pathlib import Path
from typing import Any

from rig.errors import RunError


COUNTS = ("num_episodes", "num_env_steps")
DISTANCE_COLUMNS = ("median", "mean", "std", "do_nothing_median")


def check_evaluation(evaluation: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the table of an evaluation.

    Raises:
        RunError: A count or a statistic of a distance is missing or is not a number.
    """
    distances = evaluation.get("distances", {})
    rows = list(distances.values()) if isinstance(distances, dict) else [None]
    expected = [(evaluation, COUNTS)] if distances else []
    for values, names in [*expected, *((row, DISTANCE_COLUMNS) for row in rows)]:
        for name in names:
            number = values.get(name) if isinstance(values, dict) else None
            if type(number) not in (int, float):
                raise RunError(f"{path}: {name} = {number!r} is not a number; it is damaged")
    return evaluation
