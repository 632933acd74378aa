"""A study's journal: how every attempt at a run ended, a JSON line each, oldest first."""

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any


SAID = {"run", "event"}
"""What every line says."""


def note(path: Path, run_id: str, event: str, why: str, facts: dict[str, Any]) -> None:
    """Adds a line, after the end of one that was cut off."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    line = {"time": now, "run": run_id, "event": event, "why": why} | facts
    before = path.read_bytes() if path.is_file() else b""
    end = "" if before.endswith(b"\n") or not before else "\n"
    with path.open("a") as file:
        file.write(f"{end}{json.dumps(line)}\n")


def read(path: Path) -> list[dict[str, Any]]:
    """Every line; those that were cut off or spoilt are left out."""
    lines: list[dict[str, Any]] = []
    for text in path.read_bytes().splitlines() if path.is_file() else []:
        with suppress(ValueError, RecursionError):
            line = json.loads(text)
            if isinstance(line, dict) and line.keys() >= SAID:
                lines.append(line)
    return lines
