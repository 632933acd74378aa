"""The replay buffer of a run: its size, and whether its frames are in memory or in a file."""

from pathlib import Path

import numpy as np

from rig.config import Config
from rig.replay.buffer import ReplayBuffer
from rig.replay.memmap import memmap_array
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.resources import is_memory_mapped, sizes_of


def make_replay_buffer(config: Config, envs: Envs, directory: Path) -> ReplayBuffer:
    """Return an empty buffer; if it needs a file for its frames, that is in the directory."""

    def new_frames(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        is_mapped = is_memory_mapped(config, sizes_of(envs))
        return memmap_array(directory, shape, dtype) if is_mapped else np.empty(shape, dtype)

    return ReplayBuffer(
        config.buffer_size,
        unwrapped_envs(envs).num_steps,
        new_frames,
        keeps_frames=config.reads_frames_again,
    )
