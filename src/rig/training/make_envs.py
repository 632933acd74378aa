"""The worlds of a run: a task's, or anyone's environment as a guest."""

from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from rig.config import Config
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.envs.tasks import full_name, is_external, short_name
from rig.external.make import EnvSpec, make_external_envs
from rig.representation.hybrid import HybridObservation
from rig.representation.true_state import TrueStateObservation
from rig.validation import require


Envs = VectorEnv[Any, Any, Any]
"""Worlds as Gymnasium has them: the seam that the loop drives."""


def make_envs(config: Config, num_envs: int, image_size: int | None = None) -> Envs:
    """Worlds of the run's task, as the run sees them; or as it would see them at another size.

    Raises:
        ExternalEnvError: Someone's environment can't be found, made, driven or seen.
    """
    envs = make_image_envs(config, num_envs, image_size or config.image_size)
    if config.is_given_truth:
        return TrueStateObservation(envs) if config.oracle else HybridObservation(envs)
    return envs


def make_image_envs(config: Config, num_envs: int, image_size: int) -> Envs:
    """The same as a camera sees them, whatever the run is given besides.

    Raises:
        ExternalEnvError: Someone's environment can't be found, made, driven or seen.
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
    """Copies of someone's environment."""
    require(
        not config.is_given_truth,
        "--oracle, --input true and --reward.distance true take the true state, which only "
        "our own tasks tell: leave them out",
    )
    require(
        config.collect.source == "practice",
        f"--collect.source teleport sets states, and {config.task} is not ours to set: "
        "practice is what a robot can do",
    )
    spec = EnvSpec(id=config.task, camera=config.camera, num_steps=config.episode_steps)
    return make_external_envs(spec, num_envs, image_size, seed=config.seed)


def unwrapped_envs(envs: Envs) -> ImageGoalVectorEnv:
    """What the loop may ask of worlds, whatever wraps them."""
    base_envs = envs.unwrapped
    assert isinstance(base_envs, ImageGoalVectorEnv)
    return base_envs


def named(config: Config) -> Config:
    """The settings with the task by its proper name."""
    known = config.task if is_external(config.task) else short_name(config.task)
    return replace(config, task=known)
