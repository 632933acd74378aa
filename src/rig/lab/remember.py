"""What a run remembers: how much it is, and whether it lies in memory or in a file."""

from pathlib import Path

import numpy as np

from rig.config import Config
from rig.lab.worlds import World, worlds_of
from rig.memory.mapped import mapped
from rig.memory.replay import Replay


GB = 1e9


def empty_replay(config: Config, world: World, directory: Path) -> Replay:
    """A memory with nothing in it; a file that it needs lies in the directory."""

    def new_frames(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        is_mapped = lies_in_a_file(config, world)
        return mapped(directory, shape, dtype) if is_mapped else np.empty(shape, dtype)

    return Replay(config.replay_size, worlds_of(world).num_steps, new_frames)


def lies_in_a_file(config: Config, world: World) -> bool:
    """Whether the frames are more than the settings let into memory."""
    num_bytes = rows_filled(config, worlds_of(world).num_steps) * frame_bytes(world)
    return 0 < config.replay_memory_gb * GB < num_bytes


def rows_filled(config: Config, num_steps: int) -> int:
    """Frames that replay holds in the end."""
    num_transitions = min(config.replay_size, config.num_env_steps + config.collect.num_images)
    return -(-num_transitions * (num_steps + 1) // num_steps)


def frame_bytes(world: World) -> int:
    """Bytes of a frame."""
    space = world.single_observation_space["observation"]  # type: ignore[index]
    return int(np.prod(space.shape)) * space.dtype.itemsize
