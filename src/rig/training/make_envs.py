"""The worlds of a run: a task's, or anyone's environment as a guest."""

from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from rig.config import Config, require
from rig.envs.image_goal_env import Worlds
from rig.envs.tasks import full_name, is_guest, short_name
from rig.external.make import Invitation, invite
from rig.representation.hybrid import SwapView
from rig.representation.true_state import OracleView


World = VectorEnv[Any, Any, Any]
"""Worlds as Gymnasium has them: the seam that the loop drives."""


def make_world(config: Config, num_worlds: int, image_size: int | None = None) -> World:
    """Worlds of the run's task, as the run sees them; or as it would see them at another size.

    Raises:
        GuestError: Someone's environment can't be found, made, driven or seen.
    """
    world = make_pictured_world(config, num_worlds, image_size or config.image_size)
    if config.is_given_truth:
        return OracleView(world) if config.oracle else SwapView(world)
    return world


def make_pictured_world(config: Config, num_worlds: int, image_size: int) -> World:
    """The same as a camera sees them, whatever the run is given besides.

    Raises:
        GuestError: Someone's environment can't be found, made, driven or seen.
    """
    if is_guest(config.task):
        return guests(config, num_worlds, image_size)
    require(
        not config.camera and not config.episode_steps,
        f"{config.task} has a camera and an episode length of its own: leave --camera and "
        "--episode-steps to --env",
    )
    return gymnasium.make_vec(
        full_name(config.task),
        num_envs=num_worlds,
        vectorization_mode="vector_entry_point",
        image_size=image_size,
    )


def guests(config: Config, num_worlds: int, image_size: int) -> Worlds:
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
    invitation = Invitation(
        id=config.task, camera=config.camera, num_steps=config.episode_steps
    )
    return invite(invitation, num_worlds, image_size, seed=config.seed)


def worlds_of(world: World) -> Worlds:
    """What the loop may ask of worlds, whatever wraps them."""
    worlds = world.unwrapped
    assert isinstance(worlds, Worlds)
    return worlds


def named(config: Config) -> Config:
    """The settings with the task by its proper name."""
    known = config.task if is_guest(config.task) else short_name(config.task)
    return replace(config, task=known)
