"""Looking: what a run's camera sees, at the start or at a goal."""

import hashlib
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from rig.config import Config
from rig.errors import ConfigError
from rig.training.make_envs import make_image_envs, unwrapped_envs


SMALLEST_PX, LARGEST_PX = 16, 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A picture, and what is known of it."""

    image: UInt8[np.ndarray, "H W 3"]
    id: str
    """The environment."""
    seen_by: str
    """What took it."""
    state: Float64[np.ndarray, " state"]
    """What is true in it; empty where the world can't tell."""
    seed: int
    """Of the start that its goal was reached from."""


def take_snapshot(config: Config, size: int, *, of_goal: bool) -> Snapshot:
    """What the camera of these settings sees: the start, or a goal that the seed decides.

    Raises:
        ConfigError: The size is out of range.
        ExternalEnvError: Someone's environment can't be found, made or seen.
    """
    if not SMALLEST_PX <= size <= LARGEST_PX:
        raise ConfigError(f"--size must be {SMALLEST_PX} to {LARGEST_PX} pixels, got {size}")
    with closing(make_image_envs(config, 1, size)) as envs:
        if of_goal:
            goal = unwrapped_envs(envs).goals(1, rng=np.random.default_rng(config.seed))
            image, state, seed = goal.images[0], goal.states[0], int(goal.seeds[0])
        else:
            observation, info = envs.reset(seed=config.seed)
            image, seed = observation["observation"][0], 0
            state = np.asarray(info.get("state", np.empty((1, 0))))[0]
        base_envs = unwrapped_envs(envs)
        return Snapshot(
            image=image, id=base_envs.id, seen_by=base_envs.seen_by, state=state, seed=seed
        )


def fingerprint(image: UInt8[np.ndarray, "H W 3"]) -> str:
    """The hash of a picture: of the start, it tells one camera from another."""
    return hashlib.sha256(image.tobytes()).hexdigest()
