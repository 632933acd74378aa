"""Whether there is room for a run: the memory and the disk that it takes, and what is there.

A run that would not fit is refused before it begins, not after hours.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rig.config import Config
from rig.errors import RunError
from rig.runs.checkpoint_store import NUM_KEPT
from rig.runs.run import Run
from rig.training.buffer import sizes_of
from rig.training.make_envs import Envs
from rig.training.requirements import (
    GB,
    kept_bytes,
    lies_in_a_file,
    memory_bytes,
    row_bytes,
    rows_filled,
)


NEARLY_ALL = 0.8
"""A larger share of what is there is worth a word."""
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """What a run takes at most, in bytes."""

    memory: float
    disk: float


def need_of(config: Config, envs: Envs) -> Need:
    """What a run with these settings will take, about."""
    sizes = sizes_of(envs)
    frame, row, num_rows = (
        kept_bytes(config, sizes),
        row_bytes(config, sizes),
        rows_filled(config, sizes),
    )
    kept_rows = num_rows + NUM_KEPT * config.checkpoint.every_steps
    memmap_array = num_rows * frame if lies_in_a_file(config, sizes) else 0
    disk = kept_rows * frame + (NUM_KEPT + 1) * num_rows * row + memmap_array
    return Need(memory=memory_bytes(config, sizes), disk=disk)


def check_resources(run: Run, envs: Envs, say: Callable[[str], object]) -> None:
    """Says if a run will need nearly all that is there of memory or disk.

    Raises:
        RunError: It will need more.
    """
    need = need_of(run.config, envs)
    own = sum(path.stat().st_size for path in run.checkpoints.rglob("*") if path.is_file())
    there = {"memory": free_memory_bytes(), "disk": shutil.disk_usage(run.directory).free + own}
    helps = {
        "memory": "lower --buffer-size, or bound its memory with --buffer-memory-gb",
        "disk": "lower --buffer-size, or choose another --out",
    }
    for name, free in there.items():
        needed = getattr(need, name)
        text = (
            f"this run takes about {needed / GB:.1f} GB of {name}, {free / GB:.1f} GB are free"
        )
        if needed > free:
            raise RunError(f"{text}: {helps[name]}")
        if needed > NEARLY_ALL * free:
            say(text)


def free_memory_bytes() -> float:
    """Memory that this process may still take, whatever bounds it."""
    bounds = [available_bytes()]
    limit, used = (read_number(CGROUP / name) for name in ("memory.max", "memory.current"))
    if limit is not None and used is not None:
        bounds.append(limit - used)
    return min(bounds)


def available_bytes() -> float:
    """Memory that is free, or could be."""
    lines = Path("/proc/meminfo")
    if not lines.is_file():
        return float("inf")
    kilobytes = dict(line.split(":") for line in lines.read_text().splitlines())
    return 1024 * float(kilobytes["MemAvailable"].split()[0])


def read_number(path: Path) -> float | None:
    """The number in a file of the system; None if there is none."""
    text = path.read_text().strip() if path.is_file() else ""
    return float(text) if text.isdecimal() else None
