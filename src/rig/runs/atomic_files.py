"""Write files so that a crash never leaves half of one: write, fsync, rename."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.errors import RunError


TEMPORARY_SUFFIX = ".new"
"""Suffix of a file or directory that is still being written; a crash may leave it behind."""
CHUNK_BYTES = 1 << 20
MAX_BYTES = 1 << 27
"""Size of the largest file that is read: JSON, metrics and images of a run are smaller."""


def write_and_sync(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on disk (fsync)."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def atomic_write(path: Path, data: bytes) -> None:
    """Write a file so that neither a reader nor a crash ever leaves half of it."""
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    try:
        write_and_sync(temporary, data)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Give the block a new file to write, and move it to ``path`` once it is complete.

    Yields:
        A path with the same suffix, in the same directory.

    Raises:
        OSError: It can't be written; the error names ``path``, and nothing is left behind.
    """
    target = path.resolve()  # what a link points to is replaced, not the link
    temporary = target.with_name(f"{target.stem}{TEMPORARY_SUFFIX}{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        if not is_about(error, temporary, target):
            raise
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def is_about(error: OSError, temporary: Path, path: Path) -> bool:
    """Return whether an error is about writing a temporary file or directory, or moving it.

    One that names another file, as one that was read meanwhile, is not.
    """
    name = error.filename2 or error.filename  # of a copy, the second is written
    if name is None:
        return True
    named = Path(str(name)).absolute()
    return named == path.absolute() or named.is_relative_to(temporary.absolute())


def atomic_write_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write a new directory with these files; it appears only once it is complete."""
    temporary = directory.with_name(directory.name + TEMPORARY_SUFFIX)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        for name, data in files.items():
            write_and_sync(temporary / name, data)
        sync_directory(temporary)
        os.replace(temporary, directory)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Wait until the entries of a directory are on disk (fsync)."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def json_bytes(values: Mapping[str, Any]) -> bytes:
    """Return an object as indented JSON."""
    return (json.dumps(values, indent=2) + "\n").encode()


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write an object as JSON, atomically."""
    atomic_write(path, json_bytes(values))


def read_small_file(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        RunError: The file is missing, is not a file, or is larger than any that rig writes.
    """
    try:
        num_bytes = path.stat().st_size
        if num_bytes <= MAX_BYTES:
            return path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror}; the run is damaged") from error
    raise RunError(f"{path} has {num_bytes:,} bytes, at most {MAX_BYTES:,} expected: damaged")


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        RunError: The file has no JSON object, or can't be read.
    """
    try:
        values = json.loads(read_small_file(path))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is not JSON: {error}; the run is damaged") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} has no JSON object; the run is damaged")
    return values
