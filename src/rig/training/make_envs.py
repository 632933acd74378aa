"""The environments of a run: of one of our tasks, or external ones."""

from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from rig.config import Config
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.envs.tasks import full_name, is_external, short_name
from rig.external.make import EnvSpec, make_external_envs
from rig.representation.registry import REPRESENTATIONS
from rig.validation import require


Envs = VectorEnv[Any, Any, Any]
"""Gymnasium's vector environment: the seam that the loop drives."""


def make_envs(config: Config, num_envs: int, image_size: int | None = None) -> Envs:
    """Return environments that show what the run's representation encodes.

    Raises:
        ExternalEnvError: The external environment can't be found, made, driven or seen.
    """
    kind = REPRESENTATIONS[config.representation_kind]
    return kind.observe(make_image_envs(config, num_envs, image_size or config.image_size))


def make_image_envs(config: Config, num_envs: int, image_size: int) -> Envs:
    """Return the same environments with camera images, whatever the run sees besides.

    Raises:
        ExternalEnvError: The external environment can't be found, made, driven or seen.
    """
    if is_external(config.task):
        return external_envs(config, num_envs, image_size)
    require(
        not config.camera and not config.episode_steps,
        f"{config.task} has a camera and an episode length of its own: leave --camera and "
        "--episode-steps to --env",
    )
    return gymnasium.make_vec(
        full_name(config.task),
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        image_size=image_size,
    )


def external_envs(config: Config, num_envs: int, image_size: int) -> ImageGoalVectorEnv:
    """Return copies of an external environment."""
    require(
        not REPRESENTATIONS[config.representation_kind].needs_true_state,
        "--oracle, --input true and --reward.distance true take the true state, which only "
        "rig's own tasks provide: leave them out",
    )
    require(
        config.collect.source == "practice",
        f"--collect.source teleport sets states, which {config.task} does not allow: choose "
        "practice",
    )
    spec = EnvSpec(id=config.task, camera=config.camera, num_steps=config.episode_steps)
    return make_external_envs(spec, num_envs, image_size, seed=config.seed)


def unwrapped_envs(envs: Envs) -> ImageGoalVectorEnv:
    """Return the environments without their wrappers."""
    base_envs = envs.unwrapped
    assert isinstance(base_envs, ImageGoalVectorEnv)
    return base_envs


def named(config: Config) -> Config:
    """Return the settings with the task's full or short name as it is registered."""
    known = config.task if is_external(config.task) else short_name(config.task)
    return replace(config, task=known)
