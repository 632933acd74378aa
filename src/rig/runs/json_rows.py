"""JSON lines: one object of numbers per line, the format of metrics."""

import json
from pathlib import Path

from rig.errors import RunError
from rig.runs.atomic_files import read_small_file


Row = dict[str, float]


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a file; a last line without its line end is left out.

    Raises:
        RunError: A line is not a JSON object of numbers.
    """
    lines = read_small_file(path).splitlines(keepends=True) if path.is_file() else []
    complete = [line for line in lines if line.endswith(b"\n")]
    return [
        parse_row(line, f"{path}, line {number}") for number, line in enumerate(complete, 1)
    ]


def parse_row(line: bytes, where: str) -> Row:
    """Return the row in a line.

    Raises:
        RunError: The line is not a JSON object of numbers; the message starts with ``where``.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where} is not JSON: {error}; the run is damaged") from error
    values = row.values() if isinstance(row, dict) else [None]
    if not all(type(value) in (int, float) for value in values):
        raise RunError(f"{where} is not an object of numbers; the run is damaged")
    return row


def first_lines(data: bytes, num: int) -> bytes:
    """Return the first ``num`` lines, each with its line end."""
    return b"".join(data.splitlines(keepends=True)[:num])
