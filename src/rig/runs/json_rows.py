"""Rows of numbers by name, one JSON object per line, as metrics are written."""

import json
from pathlib import Path

from rig.errors import RunError
from rig.runs.atomic_files import read_whole


Row = dict[str, float]


def read_rows(path: Path) -> list[Row]:
    """The rows of a file; a last line that was cut off is left out.

    Raises:
        RunError: A line is no JSON object, or holds something else than numbers.
    """
    lines = read_whole(path).splitlines(keepends=True) if path.is_file() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    return [row_of(line, f"{path}, line {number}") for number, line in enumerate(whole, 1)]


def row_of(line: bytes, where: str) -> Row:
    """The row in a line.

    Raises:
        RunError: There is none.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where} is no JSON: {error}; the run is damaged") from error
    values = row.values() if isinstance(row, dict) else [None]
    if not all(type(value) in (int, float) for value in values):
        raise RunError(f"{where} holds no numbers by name; the run is damaged")
    return row


def first_lines(data: bytes, num: int) -> bytes:
    """The first so many lines, each with its end."""
    return b"".join(data.splitlines(keepends=True)[:num])
