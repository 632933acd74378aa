"""Where a run comes from: enough to know, years later, what made it."""

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from rig.config import Config
from rig.training.snapshot import image_sha256, take_snapshot


PACKAGES = (
    "imagined-goals",
    "jax",
    "jaxlib",
    "equinox",
    "optax",
    "mujoco",
    "gymnasium",
    "numpy",
)


def origin(config: Config, argv: Sequence[str]) -> dict[str, Any]:
    """Versions, commit, command line, camera, device and date of a run that begins now."""
    return {
        "date": now(),
        "command": shlex.join(["rig", *argv]),
        "commit": commit(),
        **surroundings(config),
    }


def now() -> str:
    """The time to the second, with its zone, as ISO 8601 has it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def surroundings(config: Config) -> dict[str, Any]:
    """All that a run with these settings depends on here besides them."""
    snapshot = take_snapshot(config, config.image_size, of_goal=False)
    return {
        "task": snapshot.id,
        "camera": snapshot.renderer,
        "image_size": config.image_size,
        "reference_picture_sha256": image_sha256(snapshot.image),
        "device": device(),
        "num_cores": num_cores(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": versions(),
    }


def versions() -> dict[str, str]:
    """The installed version of each package that a result depends on."""
    return {name: version(name) for name in PACKAGES}


def device() -> str:
    """What learning runs on, as JAX calls it."""
    return str(jax.devices()[0].device_kind)


def num_cores() -> int:
    """The cores that we may use."""
    return len(os.sched_getaffinity(0))


def commit() -> str | None:
    """The commit of the checkout that this code lies in, marked if it was changed since.

    None if it lies in no checkout, or git is not there to ask.
    """
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        found = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        changed = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True
        )
    except OSError:
        return None
    if found.returncode:
        return None
    return found.stdout.strip() + (" with changes" if changed.stdout.strip() else "")
