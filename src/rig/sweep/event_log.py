"""The event log of a study, ``journal.jsonl``: one JSON line for each attempt's start and end.

Several processes, also on several machines, append to it under a lock.
"""

import fcntl
import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any


STARTED, FINISHED, FAILED, LOST, RESET = "started", "finished", "failed", "lost", "reset"
"""Events of a run. A start without an end is an attempt whose process was lost."""
Event = dict[str, Any]


def log_event(path: Path, run_id: str, event: str, why: str = "", **facts: Any) -> None:
    """Append a line. If the last line was cut off, start a new one."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    line = {"time": now, "run": run_id, "event": event, "why": why} | facts
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, 2)
        file.seek(max(end - 1, 0))
        is_cut_off = file.read(1) not in (b"", b"\n")
        file.write(b"\n" * is_cut_off + json.dumps(line).encode() + b"\n")


def read_events(path: Path) -> dict[str, list[Event]]:
    """Return the events of each run, oldest first. Lines that are damaged are left out."""
    events: dict[str, list[Event]] = {}
    for text in path.read_bytes().splitlines() if path.is_file() else []:
        with suppress(ValueError, RecursionError, KeyError, TypeError):
            line = json.loads(text)
            if isinstance(line["event"], str):
                events.setdefault(line["run"], []).append(line)
    return events


def count_lost(events: list[Event], *, is_running: bool) -> int:
    """Return the number of attempts whose process was killed, or whose machine went away."""
    num_lost, is_open = 0, False
    for event in events:
        # Older versions wrote "lost" themselves, and no start.
        num_lost += event["event"] == LOST or (event["event"] == STARTED and is_open)
        is_open = event["event"] == STARTED or (event["event"] == RESET and is_open)
    return num_lost + (is_open and not is_running)


def failure(events: list[Event]) -> str | None:
    """Return why a run failed; None unless that is the last that happened to it."""
    last = events[-1] if events else {}
    return str(last.get("why", "")) if last.get("event") == FAILED else None
