"""Files that survive a crash: written beside their place, brought to the disk, moved in."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rig.errors import RunError


BESIDE = ".new"
"""Ends the name of what is not in its place yet; what a crash leaves of it is worth nothing."""
READ_BYTES = 1 << 20
MOST_BYTES = 1 << 27
"""Of JSON, of metrics, of a picture: a larger one is not ours, and is not read."""


def write_and_sync(path: Path, data: bytes) -> None:
    """Writes a file and waits until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def atomic_write(path: Path, data: bytes) -> None:
    """Writes a file so that a reader, or a crash, never sees half of it."""
    beside = path.with_name(path.name + BESIDE)
    try:
        write_and_sync(beside, data)
        os.replace(beside, path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def atomic_write_directory(directory: Path, files: Mapping[str, bytes]) -> None:
    """The same for a new directory with these files in it."""
    beside = directory.with_name(directory.name + BESIDE)
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        for name, data in files.items():
            write_and_sync(beside / name, data)
        sync_directory(beside)
        os.replace(beside, directory)
    except OSError:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    """Waits until the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """The hash of a file, read a part at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(READ_BYTES):
            digest.update(part)
    return digest.hexdigest()


def json_bytes(values: Mapping[str, Any]) -> bytes:
    """An object as the JSON that our files hold."""
    return (json.dumps(values, indent=2) + "\n").encode()


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes an object as JSON; a reader never sees half."""
    atomic_write(path, json_bytes(values))


def read_whole(path: Path) -> bytes:
    """All of a small file.

    Raises:
        RunError: It is missing, no file, or far larger than any of ours.
    """
    try:
        num_bytes = path.stat().st_size
        if num_bytes <= MOST_BYTES:
            return path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror}; the run is damaged") from error
    raise RunError(f"{path} has {num_bytes:,} bytes, far too many; it is damaged")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        RunError: The file holds none, or can't be read.
    """
    try:
        values = json.loads(read_whole(path))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is no JSON: {error}; the run is damaged") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} holds no JSON object; the run is damaged")
    return values
