"""The metrics of a run that may be growing, read from where the last reading ended.

A run that resumes cuts its metrics back to its checkpoint. Then the generation changes, and
rows of an older generation must be forgotten.
"""

from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import time_ns
from typing import Any

from rig.errors import RunError
from rig.runs.atomic_files import MAX_BYTES
from rig.runs.json_rows import Row, parse_row
from rig.runs.run import CLOCK, METRICS


class RowTail:
    """The complete lines of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: list[Row] = []
        self._forget()

    def _forget(self) -> None:
        self.rows = []
        self._num_bytes = 0
        self._last_line = b""

    def advance(self) -> bool:
        """Read what is new; return whether what was read before is gone.

        Raises:
            RunError: A line is not an object of numbers, or the file is too large.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, self._num_bytes - len(self._last_line)))
                data = file.read(MAX_BYTES + 1)
        except OSError:
            data = b""
        if len(data) > MAX_BYTES:
            raise RunError(f"{self._path} is too large: damaged")
        if not data.startswith(self._last_line):
            self._forget()
            self.advance()
            return True
        lines = data[len(self._last_line) :].splitlines(keepends=True)
        for line in lines:
            if line.endswith(b"\n"):
                self.rows.append(parse_row(line, f"{self._path}, line {len(self.rows) + 1}"))
                self._num_bytes += len(line)
                self._last_line = line
        return False


class MetricsTail:
    """The metrics of a run with their times; the generation changes when they are cut."""

    def __init__(self, directory: Path) -> None:
        self._files = [RowTail(directory / name) for name in (METRICS, CLOCK)]
        self._lock = Lock()
        seed = f"{directory} {time_ns()}"
        self.generation = int(sha256(seed.encode()).hexdigest()[:7], 16)
        self._num_cut = 0

    def read(self, after: int = 0, generation: int | None = None) -> dict[str, Any]:
        """Return the rows from ``after`` on; all of them if the generation is another one.

        Raises:
            RunError: The metrics are damaged.
        """
        with self._lock:
            if any([file.advance() for file in self._files]):
                self.generation += 1
            first = after if generation == self.generation else 0
            rows, clock = (file.rows for file in self._files)
            num = min(len(rows), len(clock)) if clock else len(rows)
            first = min(max(first, 0), num)
            merged = [
                row | (clock[index] if index < len(clock) else {})
                for index, row in enumerate(rows[first:num], first)
            ]
            return {"generation": self.generation, "first": first, "rows": merged}
