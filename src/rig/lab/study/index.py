"""An index of runs, in SQLite beside them, so that a thousand of them are listed at once.

The directories are what counts: the index is brought up to date whenever it is opened, reads
again only the runs whose files changed, and can be deleted at any time.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from rig.errors import RunError
from rig.lab.keep.durable import read_json
from rig.lab.keep.run import Run
from rig.lab.keep.settings import flat, nearest_preset
from rig.lab.study.standing import latest_distances


FILE = "index.sqlite"
VERSION = 1
"""Raised whenever the columns change; an index of another version is made anew."""
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
STAMPED = ("config.json", "metrics.jsonl", "evaluation.json", "fingerprint.json")
Row = dict[str, Any]


@contextmanager
def open_index(root: Path) -> Iterator[sqlite3.Connection]:
    """The index of the runs under a directory, brought up to date.

    Where the directory may not be written in, the index is made in memory.

    Raises:
        RunError: There is no such directory.
    """
    if not root.is_dir():
        raise RunError(f"{root} is no directory: name one that runs lie under")
    with closing(up_to_date(root)) as connection:
        yield connection


def up_to_date(root: Path) -> sqlite3.Connection:
    """The index as it was left, or a new one if that can't be read, with all that changed."""
    if not os.access(root, os.W_OK):
        return updated(sqlite3.connect(":memory:"), root)
    path = root / FILE
    try:
        return updated(sqlite3.connect(path), root)
    except sqlite3.DatabaseError:
        path.unlink()
        return updated(sqlite3.connect(path), root)


def updated(connection: sqlite3.Connection, root: Path) -> sqlite3.Connection:
    """The connection, with its table brought up to date."""
    try:
        update(with_table(connection), root)
    except BaseException:
        connection.close()
        raise
    return connection


def with_table(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection with a table of this version."""
    connection.row_factory = sqlite3.Row
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != VERSION:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.executescript(
            f"DROP TABLE IF EXISTS runs; CREATE TABLE runs ({columns});"
            f"PRAGMA user_version = {VERSION};"
        )
    return connection


def update(connection: sqlite3.Connection, root: Path) -> None:
    """Reads the runs that are new or changed, and drops those that are gone."""
    known = dict(connection.execute("SELECT directory, stamp FROM runs").fetchall())
    found = {str(path.relative_to(root)): path for path in run_directories(root)}
    gone = [(name,) for name in known.keys() - found.keys()]
    changed = [
        row_of(root, name, stamp)
        for name, path in found.items()
        if known.get(name) != (stamp := stamp_of(path))
    ]
    places = ", ".join(f":{name}" for name in COLUMNS)
    with connection:
        connection.executemany("DELETE FROM runs WHERE directory = ?", gone)
        connection.executemany(f"INSERT OR REPLACE INTO runs VALUES ({places})", changed)


def run_directories(root: Path) -> Iterator[Path]:
    """Every run at or under a directory."""
    for place, folders, files in os.walk(root):
        if "config.json" in files:
            folders.clear()
            yield Path(place)


def stamp_of(directory: Path) -> str:
    """What changes whenever a run's files do."""
    paths = [directory / name for name in STAMPED] + [plan_at(directory)]
    return " ".join(str(path.stat().st_mtime_ns) if path.is_file() else "-" for path in paths)


def row_of(root: Path, name: str, stamp: str) -> Row:
    """A run's row; one that can't be read has only its state."""
    try:
        return {"directory": name, "stamp": stamp} | facts_of(root / name)
    except RunError:
        empty = dict.fromkeys(COLUMNS, None)
        return empty | {"directory": name, "stamp": stamp, "state": "damaged"}


def facts_of(directory: Path) -> Row:
    """What the index tells of a run."""
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
        "task": run.config.task,
        "preset": nearest_preset(run.config),
        "seed": run.config.seed,
        "state": "done" if run.is_finished else "unfinished",
        "num_env_steps": int(max((row.get("num_env_steps", 0) for row in rows), default=0)),
        "training_s": last.get("wall_s", 0.0) - last.get("evaluation_s", 0.0),
        "date": made.get("date"),
        "made_at_commit": made.get("commit"),
        "distances": json.dumps(latest_distances(rows)),
        "settings": json.dumps(flat(asdict(run.config))),
        "metrics": json.dumps({name: finite(value) for name, value in last.items()}),
    }


def finite(value: float) -> float | None:
    """The value as JSON can hold it."""
    return value if isfinite(value) else None


def plan_at(directory: Path) -> Path:
    """Where the plan lies of the study that a run is part of, if it is."""
    return directory.resolve().parent / "sweep.json"


def plan_of(directory: Path) -> tuple[str | None, str | None]:
    """The study that a run belongs to, and its method there."""
    path = plan_at(directory)
    plan = read_json(path) if path.is_file() else {"runs": {}}
    planned = plan["runs"].get(directory.resolve().name)
    return (plan["name"], planned["method"]) if planned else (None, None)
