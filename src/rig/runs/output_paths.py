"""Check paths of results before a long computation, so that no result is lost at its end."""

import os
import re
from datetime import datetime
from pathlib import Path

from rig.config import Config
from rig.errors import ConfigError


RUNS = Path("runs")
"""Default directory of runs."""


def check_file(path: Path, suffixes: tuple[str, ...]) -> None:
    """Raise ConfigError unless a file with one of these suffixes can be written to the path."""
    if path.suffix.lower() not in suffixes:
        kinds = " or ".join(suffixes)
        raise ConfigError(
            f"{path} ends in {path.suffix or 'nothing'!r}: give a name in {kinds}"
        )
    if path.is_dir():
        raise ConfigError(f"{path} is a directory: give the name of a file")
    check_directory(path.parent)


def check_directory(path: Path) -> None:
    """Raise ConfigError unless the path is a directory with write permission."""
    if not path.is_dir():
        raise ConfigError(f"{path} is not a directory: make it first, or choose another one")
    if not os.access(path, os.W_OK):
        raise ConfigError(f"{path} has no write permission: choose another directory")


def check_new_directory(path: Path) -> None:
    """Raise ConfigError unless the directory can be made; its parents may be missing."""
    existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    check_directory(existing)


def default_directory(config: Config, name: str) -> Path:
    """Return a new directory for a run, as ``runs/reach-fast-seed0-20240131-235959``."""
    task = re.sub(r"[^\w.-]+", "-", config.task.rpartition(":")[2]).lower()
    now = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return RUNS / f"{task}-{name}-seed{config.seed}-{now}"
