"""The checkpoints of a run, on the disk.

::

    checkpoints/
        000007/                     one checkpoint
            manifest.json           every file that it needs, with its size and its hash
            state.json              counters, and the state of the random generator
            coverage.safetensors    the cells that objects visited: for a person to read
            policy.safetensors ...  networks, optimisers, the latent space
            replay.safetensors      latents, and where each episode is
        rows/                       frames and actions of replay, which never change:
            0000000-0005712.safetensors     the rows are in the file's name

A checkpoint writes the rows that are new and then itself: beside its place, brought to the
disk, moved in. The last two are kept, with the rows that they need. Nothing is pickled.
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
"""The last checkpoint, and the one before it should the last be damaged."""
Loaded = TypeVar("Loaded")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A checkpoint whose every file is there and has the right hash."""

    directory: Path
    rows: Sequence[RowFile]
    """What is lasting of replay, in order."""
    about: Mapping[str, Any]
    """What was said about it when it was saved."""


class CheckpointStore:
    """A directory of checkpoints, and the files of rows that they share."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._rows: Entries = {}
        self._kept: list[int] = []

    @property
    def next_row(self) -> int:
        """The first row that no file holds yet."""
        return max((part.end for part in self._row_files()), default=0)

    def put_rows(self, first: int, end: int, data: bytes) -> None:
        """Writes a file of rows, for the checkpoints to come."""
        name = rows_name(first, end)
        (self._directory / "rows").mkdir(parents=True, exist_ok=True)
        atomic_write(self._directory / name, data)
        self._rows[name] = entry_of(data)

    def save(
        self, files: Mapping[str, bytes], oldest_row: int, about: Mapping[str, Any]
    ) -> None:
        """Writes a checkpoint, and then removes what no kept one needs.

        Args:
            files: What it holds, by name.
            oldest_row: It needs no row before this one.
            about: What is to be known about it.
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

    def newest(
        self, use: Callable[[Checkpoint], Loaded], print_error: Callable[[str], object]
    ) -> Loaded | None:
        """What ``use`` makes of the newest checkpoint that is whole; None if there is none.

        Args:
            use: Raises RunError if the checkpoint is of no use after all.
            print_error: Is told of each checkpoint that is damaged.

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
            raise RunError(f"{self._directory} holds no checkpoint that is whole: train anew")
        return None

    def clear(self) -> None:
        """Removes all checkpoints."""
        shutil.rmtree(self._directory, ignore_errors=True)
        self._rows, self._kept = {}, []

    def _open(self, number: int) -> Checkpoint:
        """The checkpoint of that number, after a look at every file that it needs."""
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
        """The checkpoints that seem to be there, the newest first."""
        names = [path.name for path in self._directory.glob("*") if path.is_dir()]
        return sorted(
            (int(name) for name in names if re.fullmatch(r"\d{6,}", name)), reverse=True
        )

    def _remove_all_but(self, rows: set[str]) -> None:
        """Removes every checkpoint that is not kept, and every file of rows but these."""
        kept = {self._place(number) for number in self._kept}
        for path in self._directory.iterdir():
            if path not in kept and path.name != "rows":
                shutil.rmtree(path, ignore_errors=True)
        for path in (self._directory / "rows").glob("*"):
            if f"rows/{path.name}" not in rows:
                path.unlink(missing_ok=True)
