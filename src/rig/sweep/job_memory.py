"""What a job will need of a machine's memory, told from its plan, before there are worlds."""

from collections.abc import Sequence

import numpy as np

from rig.config import Config
from rig.envs.tasks import find_task, is_external
from rig.sweep.spec import Planned
from rig.training.resources import Sizes, memory_bytes


NUM_CHANNELS = 3
EXTERNAL_STEPS, EXTERNAL_ACTION_SIZE = 50, 8
"""Taken of a guest that the settings don't tell of; the need hardly depends on them."""


def job_memory_bytes(runs: Sequence[Planned]) -> int:
    """Memory that runs of one setting take, trained together in one process."""
    config = runs[0].config
    return round(memory_bytes(config, expected_sizes(config), len(runs)))


def expected_sizes(config: Config) -> Sizes:
    """The sizes that worlds with these settings will have."""
    picture = NUM_CHANNELS * config.image_size**2
    if is_external(config.task):
        return Sizes(
            num_steps=config.episode_steps or EXTERNAL_STEPS,
            action_size=EXTERNAL_ACTION_SIZE,
            frame_bytes=picture,
        )
    task = find_task(config.task)
    state = len(task.start) * np.dtype(np.float64).itemsize if config.is_given_truth else 0
    return Sizes(
        num_steps=task.num_steps,
        action_size=task.action_size,
        frame_bytes=state + (0 if config.oracle else picture),
    )
