"""Where a run comes from: versions, commit, command, camera, device and date."""

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import replace
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
    """Return the origin of a run that begins now."""
    return {
        "date": now(),
        "command": shlex.join(["rig", *argv]),
        "commit": commit(),
        **surroundings(config),
    }


def now() -> str:
    """Return the time in ISO 8601, to the second, with its zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def surroundings(config: Config) -> dict[str, Any]:
    """Return all that a run depends on here besides its settings."""
    return {
        **sight(config),
        "image_size": config.image_size,
        "device": device(),
        "num_cores": num_cores(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": versions(),
    }


def sight(config: Config) -> dict[str, Any]:
    """Return what the policy sees through. A real robot does not move for it."""
    if config.robot:
        return {"task": config.task, "camera": f"the robot of {Path(config.robot).name}"}
    clean = replace(config, camera_effects=())  # effects round differently on other machines
    snapshot = take_snapshot(clean, config.image_size, of_goal=False)
    return {
        "task": snapshot.id,
        "camera": snapshot.renderer,
        "reference_picture_sha256": image_sha256(snapshot.image),
    }


def versions() -> dict[str, str]:
    """Return the installed version of each package that a result depends on."""
    return {name: version(name) for name in PACKAGES}


def device() -> str:
    """Return what JAX calls the device that learning runs on."""
    return str(jax.devices()[0].device_kind)


def num_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def commit() -> str | None:
    """Return the commit of the checkout that holds this code, marked if it was changed since.

    None if it is not in a checkout, or git is not installed.
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
