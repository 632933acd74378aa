"""The status of each run of a study: done, running, failed, interrupted or waiting."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from rig.units import UNITS


DONE, RUNNING, FAILED = "done", "running", "failed"
INTERRUPTED, WAITING = "interrupted", "waiting"
STATES = (DONE, RUNNING, FAILED, INTERRUPTED, WAITING)


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """How far one run of a study is."""

    id: str
    method: str
    task: str
    seed: int
    state: str
    num_env_steps: int
    total_timesteps: int
    """Environment steps that the run will take."""
    distances: Mapping[str, float]
    """Medians of the latest evaluation, as ``eval/puck_distance_m``."""
    num_lost: int
    """Attempts whose process was killed, or whose machine went away."""
    why: str
    """Why the run failed or was last stopped; else empty."""
    worker: Mapping[str, Any] = field(default_factory=dict)
    """Host, core and process of a running run."""

    @property
    def steps_done(self) -> int:
        """Steps that count as done: all of a run that has ended, however it ended."""
        if self.state in (DONE, FAILED):
            return self.total_timesteps
        return min(self.num_env_steps, self.total_timesteps)


def latest_distances(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the medians of the last evaluation by the name of their metric."""
    for row in reversed(rows):
        found = {key: value for key, value in row.items() if is_distance(key)}
        if found:
            return found
    return {}


def latest_steps(rows: Sequence[Mapping[str, float]]) -> int:
    """Return the largest number of environment steps in any row."""
    counts = [row.get("num_env_steps", 0) for row in rows]
    return max((int(count) for count in counts if isfinite(count)), default=0)


def is_distance(key: str) -> bool:
    """Return whether a metric is a median distance from the goal."""
    is_ours = key.startswith("eval/") and not key.startswith("eval/do_nothing_")
    return is_ours and key.endswith(tuple(f"_distance_{unit}" for unit in UNITS))


def count_states(statuses: Sequence[RunStatus]) -> str:
    """Return the counts as text: ``3 of 8 done, 2 running, 3 waiting``."""
    states = Counter(status.state for status in statuses)
    others = [f"{states[state]} {state}" for state in STATES if states[state] and state != DONE]
    return ", ".join([f"{states[DONE]} of {len(statuses)} done", *others])


def as_json(statuses: Sequence[RunStatus]) -> dict[str, Any]:
    """Return the status of a study as one JSON object."""
    states = Counter(status.state for status in statuses)
    return {
        "num_runs": {state: states[state] for state in STATES},
        "runs": [asdict(status) for status in statuses],
    }
