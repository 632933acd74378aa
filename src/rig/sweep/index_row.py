"""What the index tells of a run, each value as SQLite and JSON can hold it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any

from rig.errors import RunError
from rig.presets import PRESETS, TUNED, find_preset
from rig.runs.run import CLOCK_NAMES, Run
from rig.runs.settings import nearest_preset
from rig.settings import flat
from rig.sweep import plan
from rig.sweep.status import latest_distances


VERSION = 2
"""Raised whenever the facts below would tell something else of the same files."""
COLUMNS = {
    "directory": "TEXT PRIMARY KEY",
    "stamp": "TEXT",
    "study": "TEXT COLLATE NOCASE",
    "method": "TEXT COLLATE NOCASE",
    "task": "TEXT COLLATE NOCASE",
    "preset": "TEXT COLLATE NOCASE",
    "seed": "INTEGER",
    "state": "TEXT",
    "num_env_steps": "INTEGER",
    "training_s": "REAL",
    "date": "TEXT",
    "made_at_commit": "TEXT",
    "distances": "TEXT",
    "settings": "TEXT",
    "metrics": "TEXT",
}
"""Each run's row; the last three are JSON objects."""
JSON_COLUMNS = ("distances", "settings", "metrics")
STAMPED = (
    "config.json",
    "origin.json",
    "metrics.jsonl",
    "clock.jsonl",
    "evaluation.json",
    "fingerprint.json",
)
TASKS = ("", *TUNED)
"""A task that changes no preset, and all that do."""
MOST = 2**63
"""Whole numbers that SQLite holds are below, and above its negative."""
Row = dict[str, Any]


def code_version() -> int:
    """A number of 31 bits, the same in every process, for the code that the facts come from.

    It changes with our version, with what a setting is called and what a preset is: the files
    of a run tell something else then, though nothing has touched them.
    """
    presets = {
        f"{name} {task}": asdict(find_preset(name, task)) for name in PRESETS for task in TASKS
    }
    told = json.dumps([VERSION, version("imagined-goals"), COLUMNS, presets])
    return int.from_bytes(sha256(told.encode()).digest()[:4], "big") >> 1


def stamp_of(directory: Path) -> str:
    """What changes whenever a run's files do."""
    planned = directory.resolve().parent / plan.FILE
    return " ".join(changed_at(path) for path in [*(directory / n for n in STAMPED), planned])


def changed_at(path: Path) -> str:
    """When a file was last written, in nanoseconds; a dash if it can't be seen."""
    try:
        return str(path.stat().st_mtime_ns)
    except OSError:
        return "-"


def facts_of(directory: Path) -> Row:
    """What the index tells of a run: all columns but the directory and its stamp.

    Raises:
        RunError: It can't be read.
    """
    run = Run.open(directory)
    rows = run.metrics()
    last: dict[str, float] = {}
    for row in rows:
        last |= row
    made = run.origin()
    study, method = plan_of(directory)
    return {
        "study": study,
        "method": method,
        "task": as_text(run.config.task),
        "preset": nearest_preset(run.config),
        "seed": run.config.seed,
        "state": "done" if run.is_finished else "unfinished",
        "num_env_steps": num_env_steps(rows),
        "training_s": training_s(last),
        "date": text_or_none(made.get("date")),
        "made_at_commit": text_or_none(made.get("commit")),
        "distances": numbers_as_json(latest_distances(rows)),
        "settings": json.dumps(flat(asdict(run.config))),
        "metrics": numbers_as_json(last),
    }


def num_env_steps(rows: Sequence[Mapping[str, float]]) -> float | None:
    """The most environment steps in any line; unknown if a line has a number that is none."""
    counts = [row.get("num_env_steps", 0) for row in rows]
    if any(number_or_none(count) is None for count in counts):
        return None
    return number_or_none(int(max(counts, default=0)))


def training_s(last: Mapping[str, float]) -> float | None:
    """Seconds that went into training; unknown if the clock has a number that is none."""
    wall_s, evaluation_s = (number_or_none(last.get(name, 0.0)) for name in CLOCK_NAMES)
    if wall_s is None or evaluation_s is None:
        return None
    return number_or_none(wall_s - evaluation_s)


def number_or_none(value: float) -> float | None:
    """The number, if SQLite and JSON can hold it: finite, and if whole, of 64 bits."""
    holds = abs(value) < MOST if isinstance(value, int) else isfinite(value)
    return value if holds else None


def numbers_as_json(values: Mapping[str, float]) -> str:
    """Numbers by name as JSON, with null for one that it can't hold."""
    return json.dumps({as_text(name): number_or_none(value) for name, value in values.items()})


def text_or_none(value: Any) -> str | None:
    """The value if it is text: JSON that someone wrote may have anything in its place."""
    return as_text(value) if isinstance(value, str) else None


def as_text(value: str) -> str:
    """The text, with what is no Unicode escaped: JSON and names of files may hold halves."""
    return value.encode(errors="backslashreplace").decode()


def plan_of(directory: Path) -> tuple[str | None, str | None]:
    """The study that a run belongs to, and its method there; unknown beside what is no plan."""
    place = directory.resolve()
    try:
        found = plan.read_plan(place.parent)
    except (RunError, OSError):
        return None, None
    planned = found.runs.get(place.name)
    return (text_or_none(found.name), text_or_none(planned.method)) if planned else (None, None)
