"""Make the environments of a run: those of a task, or external ones."""

from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from rig.config import Config
from rig.envs.camera_effects import CameraEffects
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.envs.tasks import gymnasium_id, is_external, short_name
from rig.external.make import EnvSpec, make_external_envs
from rig.representation.registry import REPRESENTATIONS
from rig.robot_env.open_robot import open_robot
from rig.robot_env.vector_env import RobotVectorEnv
from rig.robots.read_config import read_config
from rig.validation import require


Envs = VectorEnv[Any, Any, Any]
"""A vector environment; :func:`unwrapped_envs` gives what the loop needs besides."""


def make_envs(config: Config, num_envs: int, image_size: int | None = None) -> Envs:
    """Make environments with the run's observations, at its image size or another one.

    Raises:
        ConfigError: The settings do not fit the environment.
        ExternalEnvError: An external environment can't be found, made or seen.
    """
    kind = REPRESENTATIONS[config.representation_kind]
    envs = make_image_envs(config, num_envs, image_size or config.image_size)
    return kind.observe(envs, config)


def make_image_envs(config: Config, num_envs: int, image_size: int) -> Envs:
    """Make environments with image observations, even for runs that see the true state.

    Raises:
        ConfigError: The settings do not fit the environment.
        ExternalEnvError: An external environment can't be found, made or seen.
    """
    envs = make_clean_envs(config, num_envs, image_size)
    if not config.camera_effects:
        return envs
    return CameraEffects(unwrapped_envs(envs), config.camera_effects)


def make_clean_envs(config: Config, num_envs: int, image_size: int) -> Envs:
    """Make environments with images as the camera takes them, without camera effects."""
    if config.robot:
        return robot_envs(config, image_size)
    if is_external(config.task):
        return external_envs(config, num_envs, image_size)
    require(
        not (config.camera or config.episode_steps or config.score),
        f"{config.task} has its own camera, episode length and scores: give --camera, "
        "--episode-steps and --score only with --env",
    )
    return gymnasium.make_vec(
        gymnasium_id(config.task),
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        image_size=image_size,
    )


def external_envs(config: Config, num_envs: int, image_size: int) -> ImageGoalVectorEnv:
    """Make copies of an external environment."""
    require(
        not REPRESENTATIONS[config.representation_kind].needs_true_state or bool(config.score),
        "--oracle, --input true and --reward.distance true need the true state: name the "
        "arrays of the environment that it consists of, with --score",
    )
    require(
        config.collect.source == "practice",
        f"--collect.source teleport sets states, which {config.task} does not allow: use "
        "--collect.source practice",
    )
    spec = EnvSpec(
        id=config.task,
        camera=config.camera,
        num_steps=config.episode_steps,
        score=config.score,
    )
    return make_external_envs(spec, num_envs, image_size, seed=config.seed)


def robot_envs(config: Config, image_size: int) -> RobotVectorEnv:
    """Connect to the robot's server.

    Raises:
        ConfigError: Its TOML file is wrong, or the settings need a simulation.
        RobotError: No server answers.
    """
    require(
        not REPRESENTATIONS[config.representation_kind].needs_true_state
        and config.collect.source == "practice"
        and not config.camera_effects,
        "a real robot has no true state, can't be set and has a camera of its own: leave out "
        "--oracle, --input true, --reward.distance true, --collect.source teleport and "
        "--camera-effects",
    )
    return open_robot(config, image_size)


def unwrapped_envs(envs: Envs) -> ImageGoalVectorEnv:
    """Return the environments inside all wrappers."""
    base_envs = envs.unwrapped
    assert isinstance(base_envs, ImageGoalVectorEnv)
    return base_envs


def with_task_name(config: Config) -> Config:
    """Return the settings with the task's name as runs store it."""
    if config.robot:
        size = len(read_config(config.robot).axes)
        return replace(config, practice=replace(config.practice, action_size=size))
    name = config.task if is_external(config.task) else short_name(config.task)
    return replace(config, task=name)
