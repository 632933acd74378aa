"""Where results go: checked before a long computation, so that none is lost at its end."""

import os
import re
from datetime import datetime
from pathlib import Path

from rig.config import Config
from rig.errors import ConfigError


RUNS = Path("runs")
"""Where runs go by default."""


def check_file(path: Path, suffixes: tuple[str, ...]) -> None:
    """Raises ConfigError unless a file of one of these kinds can be written there."""
    if path.suffix.lower() not in suffixes:
        kinds = " or ".join(suffixes)
        raise ConfigError(
            f"{path} ends in {path.suffix or 'nothing'!r}: give a name in {kinds}"
        )
    if path.is_dir():
        raise ConfigError(f"{path} is a directory: give the name of a file")
    check_directory(path.parent)


def check_directory(path: Path) -> None:
    """Raises ConfigError unless it is a directory that we may write in."""
    if not path.is_dir():
        raise ConfigError(f"{path} is no directory: make it first, or choose another place")
    if not os.access(path, os.W_OK):
        raise ConfigError(f"{path} may not be written in: choose another place")


def check_new_directory(path: Path) -> None:
    """Raises ConfigError unless a directory can be made there; its parents may be missing."""
    existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    check_directory(existing)


def default_directory(config: Config, name: str) -> Path:
    """A new run's directory: ``runs/reach-fast-seed0-20240131-235959``."""
    task = re.sub(r"[^\w.-]+", "-", config.task.rpartition(":")[2]).lower()
    now = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return RUNS / f"{task}-{name}-seed{config.seed}-{now}"
