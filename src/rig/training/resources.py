"""The memory and disk that a run needs, compared with what is free before it starts."""

import ctypes
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from rig.config import Config
from rig.errors import RunError
from rig.runs.checkpoint_store import NUM_KEPT
from rig.runs.run import Run
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.practice_pictures import NUM_PICTURES


GB = 1e9
PROGRAM_BYTES = 1.2 * GB
"""Python, JAX with its compiled programs, MuJoCo, and evaluation."""
FURTHER_RUN_BYTES = 0.4 * GB
"""Environments, networks and evaluation of each further run in the same process."""
FIT_COPIES = {"patches": 6, "quantile_keypoints": 2}
"""Bytes that a VAE fit holds per byte of its images, by architecture."""
MOST_COPIES = max(FIT_COPIES.values())
PICTURE_COPIES = 3
"""Samples of pictures in memory while one is saved: before and after a round, and as a file."""
NUMBER_BYTES = 4
"""Bytes of each number of a latent or an action."""
ROWS_PER_FILE = 2000
"""Most rows of the buffer in one file of a checkpoint; a save copies that many in memory."""
WARN_ABOVE = 0.8
"""Warn above this share of free memory or disk."""
CGROUP = Path("/sys/fs/cgroup")
ADVICE = {
    "memory": "lower --buffer-size, or bound its memory with --buffer-memory-gb",
    "disk": "lower --buffer-size, or choose another --out",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """What the needs of a run depend on besides its settings."""

    num_steps: int
    """Steps of an episode."""
    action_size: int
    frame_bytes: int


def sizes_of(envs: Envs) -> Sizes:
    """Return the sizes of environments that exist."""
    space = envs.single_observation_space["observation"]  # type: ignore[index]
    return Sizes(
        num_steps=unwrapped_envs(envs).num_steps,
        action_size=unwrapped_envs(envs).action_size,
        frame_bytes=int(np.prod(space.shape)) * space.dtype.itemsize,
    )


def check_resources(run: Run, envs: Envs, warn: Callable[[str], object]) -> None:
    """Warn if a run needs nearly all of the free memory or disk.

    Raises:
        RunError: It needs more than is free.
    """
    warn_without_practice(run.config, warn)
    malloc_trim()  # compiling scenes takes more memory than keeping them
    sizes = sizes_of(envs)
    own = sum(path.stat().st_size for path in run.checkpoints.rglob("*") if path.is_file())
    free_disk = shutil.disk_usage(run.directory).free + own
    check_enough("memory", memory_bytes(run.config, sizes), free_memory_bytes(), warn)
    check_enough("disk", disk_bytes(run.config, sizes), free_disk, warn)


def warn_without_practice(config: Config, warn: Callable[[str], object]) -> None:
    """Warn if collection takes all steps of a run, so that its policy never learns."""
    collect, total = config.collect, config.total_timesteps
    takes_steps = collect.source == "practice" and not collect.from_
    if takes_steps and collect.num_images >= total:
        warn(
            f"collection takes {collect.num_images} of {total} steps, and none is left to "
            "practise: the policy will be untrained; raise --total-timesteps, or lower "
            "--collect.num-images"
        )


def check_enough(what: str, needed: float, free: float, warn: Callable[[str], object]) -> None:
    """Warn if what is needed is nearly all that is free.

    Raises:
        RunError: It is more.
    """
    text = f"this run needs about {needed / GB:.1f} GB of {what}, {free / GB:.1f} GB are free"
    if needed > free:
        raise RunError(f"{text}: {ADVICE[what]}")
    if needed > WARN_ABOVE * free:
        warn(text)


def memory_bytes(config: Config, sizes: Sizes, num_together: int = 1) -> float:
    """Return the most memory that runs with these settings need in one process.

    Runs that are trained together have a buffer each, and take turns in all else.
    """
    frame, num = kept_frame_bytes(config, sizes), num_rows(config, sizes)
    num_fitted = max(config.collect.num_images, num if config.online.every_steps else 0)
    num_copies = FIT_COPIES.get(config.vae.architecture, MOST_COPIES)
    fit = num_copies * sizes.frame_bytes * num_fitted
    in_memory = 0 if is_memory_mapped(config, sizes) else frame
    buffers = num_together * num * (row_bytes(config, sizes) + in_memory)
    pictures = (num_together - 1 + PICTURE_COPIES) * picture_bytes(config)
    programs = PROGRAM_BYTES + (num_together - 1) * FURTHER_RUN_BYTES
    return programs + buffers + pictures + fit + 2 * ROWS_PER_FILE * frame


def disk_bytes(config: Config, sizes: Sizes) -> float:
    """Return the most disk that a run needs: its checkpoints, and a memory-mapped buffer."""
    frame, num = kept_frame_bytes(config, sizes), num_rows(config, sizes)
    frames = (num + NUM_KEPT * config.checkpoint.every_steps) * frame
    mapped = num * frame if is_memory_mapped(config, sizes) else 0
    checkpoint = num * row_bytes(config, sizes) + picture_bytes(config)
    return frames + (NUM_KEPT + 1) * checkpoint + mapped


def num_rows(config: Config, sizes: Sizes) -> int:
    """Return the number of frames that the buffer holds at the end of training."""
    num_steps = min(config.buffer_size, config.total_timesteps + config.collect.num_images)
    return -(-num_steps * (sizes.num_steps + 1) // sizes.num_steps)


def kept_frame_bytes(config: Config, sizes: Sizes) -> int:
    """Return the bytes of each frame in the buffer, 0 where only its latent is kept."""
    return sizes.frame_bytes if config.reads_frames_again else 0


def row_bytes(config: Config, sizes: Sizes) -> int:
    """Return the bytes of a row of the buffer without its frame: latent, log_std, action."""
    latent_dim = 0 if config.is_end_to_end else config.vae.latent_dim
    return NUMBER_BYTES * (2 * latent_dim + sizes.action_size)


def picture_bytes(config: Config) -> int:
    """Return the bytes of the sample of pictures that a run keeps for likeness."""
    return 0 if config.is_given_truth else 3 * config.image_size**2 * NUM_PICTURES


def is_memory_mapped(config: Config, sizes: Sizes) -> bool:
    """Return whether the buffer's frames are in a file: they exceed --buffer-memory-gb."""
    num_bytes = num_rows(config, sizes) * kept_frame_bytes(config, sizes)
    return 0 < config.buffer_memory_gb * GB < num_bytes


def free_memory_bytes() -> float:
    """Return the memory that this process may still take, in a container too."""
    limits = [psutil.virtual_memory().available]
    limit, used = (CGROUP / name for name in ("memory.max", "memory.current"))
    # Outside a container there is no such file, or no limit in it: "max".
    if limit.is_file() and (text := limit.read_text().strip()).isdecimal():
        limits.append(int(text) - int(used.read_text()))
    return min(limits)


def malloc_trim() -> None:
    """Return freed memory to the system, on Linux.

    Without it glibc keeps it, some 200 MB after a fit and at each checkpoint.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
