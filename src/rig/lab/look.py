"""Looking: what a task's camera sees, at the start or at a goal."""

import hashlib

import numpy as np
from jaxtyping import Float64, UInt8

from rig.errors import ConfigError
from rig.world.tabletop import Tabletop
from rig.world.tasks import Task


SMALLEST_PX, LARGEST_PX = 16, 2048

State = Float64[np.ndarray, " state"]


def goal_of(task: Task, *, rng: np.random.Generator) -> State:
    """A random goal state, drawn as evaluation draws them."""
    return task.sample_goals(1, rng=rng)[0]


def picture_of(task: Task, state: State, size: int) -> UInt8[np.ndarray, "H W 3"]:
    """What the camera sees of a state, ``size`` pixels wide and high.

    Raises:
        ConfigError: The size is out of range.
    """
    if not SMALLEST_PX <= size <= LARGEST_PX:
        raise ConfigError(f"--size must be {SMALLEST_PX} to {LARGEST_PX} pixels, got {size}")
    tabletop = Tabletop(task, num_worlds=1, image_size=size)
    try:
        return tabletop.goal_images(state[None])[0]
    finally:
        tabletop.close()


def reference_hash(task: Task, size: int) -> str:
    """A fingerprint of the camera: the hash of its picture of the task's start."""
    image = picture_of(task, np.array(task.start), size)
    return hashlib.sha256(image.tobytes()).hexdigest()
