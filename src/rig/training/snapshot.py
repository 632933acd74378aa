"""One image of a run's camera, at the start or at a goal."""

import hashlib
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from rig.config import Config
from rig.errors import ConfigError
from rig.training.make_envs import make_image_envs, unwrapped_envs


MIN_PX, MAX_PX = 16, 2048


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """An image, and what is in it."""

    image: UInt8[np.ndarray, "H W 3"]
    id: str
    """The environment's id."""
    renderer: str
    """What rendered the image."""
    state: Float64[np.ndarray, " state"]
    """The true state in it; empty if the environment does not report one."""
    seed: int
    """Seed of the start from which the goal was reached."""
    notes: tuple[str, ...]
    """What a person should know about the environment's images."""


def take_snapshot(config: Config, size: int, *, of_goal: bool) -> Snapshot:
    """Render the start, or a goal drawn from the settings' seed.

    Raises:
        ConfigError: The size is out of range.
        ExternalEnvError: An external environment can't be found, made or seen.
    """
    if not MIN_PX <= size <= MAX_PX:
        raise ConfigError(f"--size must be {MIN_PX} to {MAX_PX} pixels, got {size}")
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
            image=image,
            id=base_envs.id,
            renderer=base_envs.renderer,
            state=state,
            seed=seed,
            notes=base_envs.notes,
        )


def image_sha256(image: UInt8[np.ndarray, "H W 3"]) -> str:
    """Return the hash of an image; that of the start identifies the camera."""
    return hashlib.sha256(image.tobytes()).hexdigest()
