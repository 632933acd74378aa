"""One image of a run's camera, at the start or at a goal."""

import hashlib
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, UInt8

from rig.agent.explore import RandomPolicy
from rig.config import Config
from rig.errors import ConfigError
from rig.training.make_envs import make_image_envs, unwrapped_envs


MIN_PX, MAX_PX = 16, 2048
ACTION_CORRELATION = 0.9
"""Of the random actions of a clip, as in practice."""

Images = UInt8[np.ndarray, "_ H W 3"]


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
    check_size(size)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """Images of random actions."""

    images: Images
    step_s: float
    """Seconds between two of them."""


def take_clips(config: Config, size: int, num_steps: int) -> list[Clip]:
    """Record random actions: without camera effects, and with them if there are any.

    Raises:
        ConfigError: The size is out of range.
        ExternalEnvError: An external environment can't be found, made or seen.
    """
    clean = replace(config, camera_effects=())
    return [
        take_clip(one, size, num_steps)
        for one in ([clean, config] if config.camera_effects else [clean])
    ]


def take_clip(config: Config, size: int, num_steps: int) -> Clip:
    """Record random actions, over one episode or several."""
    check_size(size)
    rng = np.random.default_rng(config.seed)
    with closing(make_image_envs(config, 1, size)) as envs:
        policy = RandomPolicy(1, unwrapped_envs(envs).action_size, ACTION_CORRELATION)
        images, is_over = [], True
        for step in range(num_steps):
            if is_over:
                policy.reset(rng=rng)
                observation, _ = envs.reset(seed=config.seed + step)
                is_over = False
            else:
                observation, _, terminated, truncated, _ = envs.step(policy.act(rng=rng))
                is_over = bool(terminated[0] or truncated[0])
            images.append(observation["observation"][0])
        return Clip(images=np.stack(images), step_s=unwrapped_envs(envs).step_s)


def check_size(size: int) -> None:
    """Raise ConfigError if the size is out of range."""
    if not MIN_PX <= size <= MAX_PX:
        raise ConfigError(f"--size must be {MIN_PX} to {MAX_PX} pixels, got {size}")


def image_sha256(image: UInt8[np.ndarray, "H W 3"]) -> str:
    """Return the hash of an image; that of the start identifies the camera."""
    return hashlib.sha256(image.tobytes()).hexdigest()
