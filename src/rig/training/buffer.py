"""What a run remembers: how much it is, and whether it lies in memory or in a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rig.config import Config
from rig.replay.buffer import Replay
from rig.replay.memmap import mapped
from rig.training.make_envs import World, worlds_of
from rig.training.requirements import Sizes, lies_in_a_file
from rig.types import Episodes


def empty_replay(config: Config, world: World, directory: Path) -> Replay:
    """A memory with nothing in it; a file that it needs lies in the directory."""

    def new_frames(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        is_mapped = lies_in_a_file(config, sizes_of(world))
        return mapped(directory, shape, dtype) if is_mapped else np.empty(shape, dtype)

    return Replay(config.replay_size, worlds_of(world).num_steps, new_frames)


def remember(replay: Replay, episodes: Episodes, config: Config) -> None:
    """Adds episodes to memory; of frames that nothing will look at again, only the latents."""
    kept = episodes.frames if config.recalls_frames else episodes.frames[:, :0]
    replay.add(replace(episodes, frames=kept))


def sizes_of(world: World) -> Sizes:
    """What memory depends on besides the settings."""
    space = world.single_observation_space["observation"]  # type: ignore[index]
    return Sizes(
        num_steps=worlds_of(world).num_steps,
        action_size=worlds_of(world).action_size,
        frame_bytes=int(np.prod(space.shape)) * space.dtype.itemsize,
    )
