"""Where a run of a study stands: done, running, failed, interrupted or waiting; and why."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from rig.units import UNITS


DONE, RUNNING, FAILED, INTERRUPTED, WAITING = (
    "done",
    "running",
    "failed",
    "interrupted",
    "waiting",
)
STATES = (DONE, RUNNING, FAILED, INTERRUPTED, WAITING)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one run of a study stands."""

    id: str
    method: str
    task: str
    seed: int
    state: str
    num_env_steps: int
    asked_env_steps: int
    distances: Mapping[str, float]
    """The latest evaluation: medians, as ``eval/puck_distance_m``."""
    num_lost: int
    """Attempts whose process was killed, or whose machine went away."""
    why: str
    """Why it failed, or was last lost; else empty."""
    where: Mapping[str, Any] = field(default_factory=dict)
    """Host, core and process of a run that goes on."""


def latest_distances(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The medians of the last evaluation, under their metrics' names."""
    for row in reversed(rows):
        found = {key: value for key, value in row.items() if is_distance(key)}
        if found:
            return found
    return {}


def latest_steps(rows: Sequence[Mapping[str, float]]) -> int:
    """The most environment steps that any row tells of."""
    told = [row.get("num_env_steps", 0) for row in rows]
    return max((int(steps) for steps in told if isfinite(steps)), default=0)


def is_distance(key: str) -> bool:
    """Whether a metric is a median distance from the goal."""
    is_ours = key.startswith("eval/") and not key.startswith("eval/do_nothing_")
    return is_ours and key.endswith(tuple(f"_distance_{unit}" for unit in UNITS))


def as_json(standings: Sequence[Standing]) -> dict[str, Any]:
    """Where a study stands, as one JSON object."""
    states = Counter(standing.state for standing in standings)
    return {
        "num_runs": {state: states[state] for state in STATES},
        "runs": [asdict(standing) for standing in standings],
    }
