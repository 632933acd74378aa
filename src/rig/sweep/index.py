"""An index of the runs under a directory, so that a thousand of them are listed at once.

The index is a hidden file next to the runs. It only saves time: the runs whose files changed
are read again, and if anything is wrong with the file, so are all the others.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

import rig.config
import rig.presets
import rig.runs.old_names
import rig.runs.run
import rig.runs.settings
from rig.errors import RunError
from rig.runs.atomic_files import atomic_write, read_json
from rig.runs.run import CLOCK_NAMES, Run
from rig.runs.settings import nearest_preset
from rig.settings import flat
from rig.sweep import plan, status
from rig.sweep.status import latest_distances


FILE = ".rig-index.json"
STAMPED = (
    *("config.json", "origin.json", "metrics.jsonl", "clock.jsonl"),
    *("evaluation.json", "fingerprint.json"),
)
"""Files whose change means that a run is read again."""
MAX_INT = 2**63
Row = dict[str, Any]
"""What the index says of a run; ``metrics``, ``settings`` and ``distances`` are nested."""


def read_index(root: Path) -> list[Row]:
    """Return a row for each run under a directory, and save them for the next time.

    Raises:
        RunError: There is no such directory.
    """
    if not root.is_dir():
        raise RunError(f"{root} is not a directory: give one that has runs under it")
    code, known = code_version(), dict[str, Row]()
    with suppress(RunError, OSError, KeyError, TypeError, AttributeError):
        saved = read_json(root / FILE)
        if saved["code"] == code:
            known = dict(saved["runs"].items())
    runs = {}
    for path in run_directories(root):
        name = as_text(str(path.relative_to(root)))
        stamp, row = stamp_of(path), known.get(name)
        is_current = isinstance(row, dict) and row.get("stamp") == stamp
        runs[name] = row if is_current and row else read_row(path, name, stamp)
    if runs != known:
        with suppress(OSError):  # we may not write there: the next time takes as long as this
            atomic_write(root / FILE, json.dumps({"code": code, "runs": runs}).encode())
    return [{key: row[key] for key in row if key != "stamp"} for row in runs.values()]


def run_directories(root: Path) -> Iterator[Path]:
    """Yield every run at or under a directory."""
    for place, folders, files in os.walk(root):
        if "config.json" in files:
            folders.clear()
            yield Path(place)


def code_version() -> str:
    """Return a hash of the code that rows come from: other code may read other values."""
    runs = (rig.runs.run, rig.runs.settings, rig.runs.old_names)
    modules = (rig.config, rig.presets, *runs, status)
    sources = [Path(str(module.__file__)) for module in modules] + [Path(__file__)]
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def stamp_of(directory: Path) -> str:
    """Return a text that changes when the files of a run do."""
    paths = [*(directory / name for name in STAMPED), directory.resolve().parent / plan.FILE]
    return " ".join(changed_at(path) for path in paths)


def changed_at(path: Path) -> str:
    """Return when a file was last written, in nanoseconds; a dash if that is not known."""
    try:
        return str(path.stat().st_mtime_ns)
    except OSError:
        return "-"


def read_row(directory: Path, name: str, stamp: str) -> Row:
    """Return the row of a run; one that can't be read has only its state.

    Such a row has no stamp, so that the run is read again each time.
    """
    try:
        return {"directory": name, "stamp": stamp} | facts_of(directory)
    except (RunError, OSError, ValueError):  # ValueError: a setting that nothing accepts
        return {"directory": name, "state": "damaged"}


def facts_of(directory: Path) -> Row:
    """Return what the index says of a run, without the directory and its stamp.

    Raises:
        RunError: It can't be read.
    """
    run = Run.open(directory)
    rows, origin = run.metrics(), run.origin()
    last: dict[str, float] = {}
    for row in rows:
        last |= row
    study, method = find_plan(directory)
    return {
        "study": study,
        "method": method,
        "task": run.config.task,
        "preset": nearest_preset(run.config),
        "seed": run.config.seed,
        "state": "done" if run.is_finished else "unfinished",
        "num_env_steps": num_env_steps(rows),
        "training_s": training_s(last),
        "date": text_or_none(origin.get("date")),
        "made_at_commit": text_or_none(origin.get("commit")),
        "distances": numbers(latest_distances(rows)),
        "settings": json.loads(json.dumps(flat(asdict(run.config)))),
        "metrics": numbers(last),
    }


def num_env_steps(rows: Sequence[Mapping[str, float]]) -> int | None:
    """Return the largest number of environment steps; None if a row has NaN or infinity."""
    counts = [number_or_none(row.get("num_env_steps", 0)) for row in rows]
    known = [int(count) for count in counts if count is not None and abs(count) < MAX_INT]
    return max(known, default=0) if len(known) == len(counts) else None


def training_s(last: Mapping[str, float]) -> float | None:
    """Return the seconds of training, without evaluation; None if a clock has no number."""
    wall_s, evaluation_s = (number_or_none(last.get(name, 0.0)) for name in CLOCK_NAMES)
    known = wall_s is not None and evaluation_s is not None
    return number_or_none(wall_s - evaluation_s) if known else None  # type: ignore[operator]


def numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    """Return values by name, with None for those that JSON can't hold."""
    return {as_text(name): number_or_none(value) for name, value in values.items()}


def number_or_none(value: float) -> float | None:
    """Return a number if it is finite and, if whole, has 64 bits."""
    is_held = abs(value) < MAX_INT if isinstance(value, int) else isfinite(value)
    return value if is_held else None


def text_or_none(value: object) -> str | None:
    """Return a value if it is text: a file that someone edited may hold anything."""
    return as_text(value) if isinstance(value, str) else None


def as_text(value: str) -> str:
    """Return a text with what is not Unicode escaped: file names and JSON may hold anything."""
    return value.encode(errors="backslashreplace").decode()


def find_plan(directory: Path) -> tuple[str | None, str | None]:
    """Return the study that a run belongs to and its method there, if they are known."""
    place = directory.resolve()
    try:
        found = plan.read_plan(place.parent)
    except (RunError, OSError):
        return None, None
    run = found.runs.get(place.name)
    return (text_or_none(found.name), run.method) if run else (None, None)
