"""What a run remembers: how much it is, and whether it lies in memory or in a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rig.config import Config
from rig.replay.buffer import ReplayBuffer
from rig.replay.memmap import memmap_array
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.resources import is_memory_mapped, sizes_of
from rig.types import Episodes


def make_replay_buffer(config: Config, envs: Envs, directory: Path) -> ReplayBuffer:
    """A memory with nothing in it; a file that it needs lies in the directory."""

    def new_frames(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        is_mapped = is_memory_mapped(config, sizes_of(envs))
        return memmap_array(directory, shape, dtype) if is_mapped else np.empty(shape, dtype)

    return ReplayBuffer(config.buffer_size, unwrapped_envs(envs).num_steps, new_frames)


def add_to_replay(replay: ReplayBuffer, episodes: Episodes, config: Config) -> None:
    """Adds episodes to memory; of frames that nothing will look at again, only the latents."""
    kept = episodes.frames if config.reads_frames_again else episodes.frames[:, :0]
    replay.add(replace(episodes, frames=kept))
