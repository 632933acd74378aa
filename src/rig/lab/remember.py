"""What a run remembers: how much it is, and whether it lies in memory or in a file."""

from pathlib import Path

import numpy as np

from rig.config import Config
from rig.lab.need import Sizes, lies_in_a_file
from rig.lab.worlds import World, worlds_of
from rig.memory.mapped import mapped
from rig.memory.replay import Replay


def empty_replay(config: Config, world: World, directory: Path) -> Replay:
    """A memory with nothing in it; a file that it needs lies in the directory."""

    def new_frames(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        is_mapped = lies_in_a_file(config, sizes_of(world))
        return mapped(directory, shape, dtype) if is_mapped else np.empty(shape, dtype)

    return Replay(config.replay_size, worlds_of(world).num_steps, new_frames)


def sizes_of(world: World) -> Sizes:
    """What memory depends on besides the settings."""
    space = world.single_observation_space["observation"]  # type: ignore[index]
    return Sizes(
        num_steps=worlds_of(world).num_steps,
        action_size=worlds_of(world).action_size,
        frame_bytes=int(np.prod(space.shape)) * space.dtype.itemsize,
    )
