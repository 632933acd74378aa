"""Manifest of a checkpoint: the size and hash of every file that it needs."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from rig.errors import RunError
from rig.runs.atomic_files import read_json, sha256_of


SCHEMA_VERSION = 1
"""Increased when the layout of a checkpoint changes."""
ROWS_NAME = re.compile(r"rows/(\d{7,15})-(\d{7,15})\.safetensors")
FILE_NAME = re.compile(r"[a-z_]+\.(json|safetensors)")
Entry = dict[str, Any]
"""The size and the hash of a file."""
Entries = dict[str, Entry]


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFile:
    """A file of the immutable arrays of some rows of replay."""

    first: int
    """The first row."""
    end: int
    """The one after the last."""
    path: Path


def entry_of(data: bytes) -> Entry:
    """Return the manifest entry of a file with this content."""
    return {"num_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def manifest_of(entries: Entries, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest of files, with further facts about the checkpoint."""
    return {"schema": SCHEMA_VERSION, "about": dict(about), "files": entries}


def read_manifest(path: Path) -> tuple[Entries, dict[str, Any]]:
    """Return the entries of a manifest, and the facts about its checkpoint.

    Raises:
        RunError: The manifest can't be read, has another schema, or lists an unknown file.
    """
    manifest = read_json(path)
    if manifest.get("schema") != SCHEMA_VERSION:
        raise RunError(
            f"{path} has schema {manifest.get('schema')!r}, but this version of rig reads "
            f"{SCHEMA_VERSION}"
        )
    files, about = manifest.get("files"), manifest.get("about")
    if not isinstance(files, dict) or not isinstance(about, dict):
        raise RunError(f"{path} lists no files; it is damaged")
    for name, entry in files.items():
        is_known = ROWS_NAME.fullmatch(name) or FILE_NAME.fullmatch(name)
        if not is_known or not isinstance(entry, dict):
            raise RunError(f"{path} lists {name!r}, which is not a file of a checkpoint")
    return files, about


def check_file(path: Path, entry: Entry) -> None:
    """Raise RunError unless the file exists with the size and hash of its entry."""
    if not path.is_file():
        raise RunError(f"{path} is missing")
    num_bytes = path.stat().st_size
    if num_bytes != entry.get("num_bytes"):
        raise RunError(f"{path} has {num_bytes} bytes, not {entry.get('num_bytes')}")
    if sha256_of(path) != entry.get("sha256"):
        raise RunError(f"{path} has changed since it was written")


def rows_name(first: int, end: int) -> str:
    """Return the name of the file of rows ``first`` to ``end`` - 1."""
    return f"rows/{first:07d}-{end:07d}.safetensors"


def row_files(directory: Path, names: Iterable[str]) -> list[RowFile]:
    """Return the files of rows among these names, in order of their rows."""
    matches = [match for name in names if (match := ROWS_NAME.fullmatch(name))]
    found = [
        RowFile(first=int(match[1]), end=int(match[2]), path=directory / match[0])
        for match in matches
    ]
    return sorted(found, key=lambda part: part.first)


def check_gapless(rows: Iterable[RowFile]) -> None:
    """Raise RunError unless each file of rows starts where the one before it ends."""
    for before, after in pairwise(rows):
        if before.end != after.first:
            raise RunError(
                f"rows are missing: {before.path} ends at row {before.end}, but {after.path} "
                f"starts at row {after.first}"
            )
