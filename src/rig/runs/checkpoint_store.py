"""The checkpoints of a run on disk.

::

    checkpoints/
        000007/                     one checkpoint
            manifest.json           every file that it needs, with its size and its hash
            state.json              counters, and the state of the random generator
            coverage.safetensors    which cells each object visited; only for reports
            policy.safetensors ...  networks, optimiser states, the representation
            replay.safetensors      latents and the bounds of each episode
        rows/                       frames and actions of the replay buffer, which never change
            0000000-0005712.safetensors     named by the rows in it

Saving writes the new rows and then the checkpoint, both atomically. The last two checkpoints
are kept, with the rows that they need. Nothing is pickled.
"""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rig.errors import RunError
from rig.runs.atomic_files import atomic_write, atomic_write_directory, json_bytes
from rig.runs.manifest import (
    Entries,
    RowFile,
    check_file,
    check_gapless,
    entry_of,
    manifest_of,
    read_manifest,
    row_files,
    rows_name,
)


NUM_KEPT = 2
"""Number of checkpoints to keep: the last, and one more in case the last is damaged."""
Loaded = TypeVar("Loaded")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A checkpoint whose files all exist with the right hash."""

    directory: Path
    rows: Sequence[RowFile]
    """Files of the immutable arrays of replay, in order."""
    about: Mapping[str, Any]
    """The facts that it was saved with."""


class CheckpointStore:
    """A directory of checkpoints and the files of replay rows that they share."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._rows: Entries = {}
        self._kept: list[int] = []

    @property
    def next_row(self) -> int:
        """Return the first row that is not in a file yet."""
        return max((part.end for part in self._row_files()), default=0)

    def add_rows(self, first: int, end: int, data: bytes) -> None:
        """Write a file of replay rows, for later checkpoints."""
        name = rows_name(first, end)
        (self._directory / "rows").mkdir(parents=True, exist_ok=True)
        atomic_write(self._directory / name, data)
        self._rows[name] = entry_of(data)

    def save(
        self, files: Mapping[str, bytes], oldest_row: int, about: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint, then remove the files that no kept checkpoint needs.

        Args:
            files: The content of its files, by name.
            oldest_row: The first row that it needs.
            about: Facts to store with it.
        """
        before = set(self._rows)
        needed = [part for part in self._row_files() if part.end > oldest_row]
        names = [rows_name(part.first, part.end) for part in needed]
        self._rows = {name: self._rows[name] for name in names}
        entries = self._rows | {name: entry_of(data) for name, data in files.items()}
        manifest = json_bytes(manifest_of(entries, about))
        number = max(self._numbers(), default=0) + 1
        atomic_write_directory(self._place(number), {**files, "manifest.json": manifest})
        self._kept = [*self._kept, number][-NUM_KEPT:]
        self._remove_all_but(before)

    def load_newest(
        self, use: Callable[[Checkpoint], Loaded], print_error: Callable[[str], object]
    ) -> Loaded | None:
        """Load the newest intact checkpoint; return None if there is no checkpoint.

        Args:
            use: Loads a checkpoint. It raises RunError if the checkpoint can't be used.
            print_error: Called with a message for each damaged checkpoint.

        Raises:
            RunError: There are checkpoints, but all are damaged.
        """
        numbers = self._numbers()
        for number in numbers:
            try:
                loaded = use(self._open(number))
            except RunError as error:
                print_error(f"checkpoint {number} can't be used: {error}")
            else:
                self._kept = [number]
                return loaded
        if numbers:
            raise RunError(f"{self._directory} has no intact checkpoint: start a new run")
        return None

    def clear(self) -> None:
        """Remove all checkpoints."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._rows, self._kept = {}, []

    def _open(self, number: int) -> Checkpoint:
        """Return a checkpoint after checking every file that it needs."""
        place = self._place(number)
        entries, about = read_manifest(place / "manifest.json")
        rows = row_files(self._directory, entries)
        check_gapless(rows)
        names = {rows_name(part.first, part.end) for part in rows}
        for name, entry in entries.items():
            check_file((self._directory if name in names else place) / name, entry)
        self._rows = {name: entries[name] for name in names}
        return Checkpoint(directory=place, rows=rows, about=about)

    def _row_files(self) -> list[RowFile]:
        return row_files(self._directory, self._rows)

    def _place(self, number: int) -> Path:
        return self._directory / f"{number:06d}"

    def _numbers(self) -> list[int]:
        """Return the numbers of the checkpoints that exist, damaged or not, newest first."""
        names = [path.name for path in self._directory.glob("*") if path.is_dir()]
        return sorted(
            (int(name) for name in names if re.fullmatch(r"\d{6,}", name)), reverse=True
        )

    def _remove_all_but(self, rows: set[str]) -> None:
        """Remove every checkpoint that is not kept, and every file of rows except these."""
        kept = {self._place(number) for number in self._kept}
        for path in self._directory.iterdir():
            if path not in kept and path.name != "rows":
                shutil.rmtree(path, ignore_errors=True)
        for path in (self._directory / "rows").glob("*"):
            if f"rows/{path.name}" not in rows:
                path.unlink(missing_ok=True)
