"""Reaching: the robot is shown one goal picture and tries.

The policy sees the camera image and the goal picture, both through its encoder, and nothing
else. Where the true goal is known, the true distance is measured beside it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from rig.agent.agent import Agent
from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv
from rig.envs.tabletop import STEP_S
from rig.goals.goal_image import GoalImage
from rig.inference.open_run import latent_space
from rig.training.evaluate import DISTANCE
from rig.training.make_envs import Envs, unwrapped_envs
from rig.types import Latents


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at one goal picture: F frames, the first before any action."""

    goal_image: UInt8[np.ndarray, "H W 3"]
    images: UInt8[np.ndarray, "F H W 3"]
    decoded: UInt8[np.ndarray, "F H W 3"]
    """What the latent of each image decodes to: what the robot makes of what it sees."""
    latent_distances: Float32[np.ndarray, " F"]
    """From the latent of each image to the goal, as the reward measures it."""
    distances: dict[str, Float[np.ndarray, " F"]]
    """Of each object from its goal: ``hand_m``, ``door_rad``; empty where it is not known."""
    step_s: float = STEP_S
    """Seconds between two frames."""


def reach(policy: Agent, envs: Envs, picture: GoalImage) -> Attempt:
    """Lets the robot try to reach a picture, in a world of one of the task.

    The true distance is measured if the picture is of this task and carries its state.
    """
    base_envs = unwrapped_envs(envs)
    known = goals_in(picture, base_envs)
    goal = latent_space(policy).encode(picture.image[None]).latent
    observation, info = envs.reset(seed=0, options=known.options() if known else None)
    images, infos = [observation["observation"]], [info]
    for _ in range(base_envs.num_steps):
        action, _encoding = policy.act(images[-1], goal, use_target_actor=True)
        observation, _reward, _terminated, _truncated, info = envs.step(action)
        images.append(observation["observation"])
        infos.append(info)
    tried = attempt(policy, picture.image, goal, np.concatenate(images), infos if known else [])
    return replace(tried, step_s=base_envs.step_s)


def goals_in(picture: GoalImage, base_envs: ImageGoalVectorEnv) -> Goals | None:
    """The picture as a goal of these worlds, if they can measure how far off it is."""
    shape = (len(base_envs.state_names),)
    state = picture.state if picture.task == base_envs.id else None
    if state is None or state.shape != shape:  # a task may have changed since
        return None if base_envs.state_names else goal_of(picture, np.empty(0), seed=0)
    return goal_of(picture, state, seed=picture.seed)


def goal_of(picture: GoalImage, state: Float64[np.ndarray, " state"], seed: int) -> Goals:
    """The picture as one goal, in that state, reached for from the start of that seed."""
    return Goals(images=picture.image[None], states=state[None], seeds=np.array([seed]))


def attempt(
    policy: Agent,
    goal_image: UInt8[np.ndarray, "H W 3"],
    goal: Latents,
    images: UInt8[np.ndarray, "F H W 3"],
    infos: list[dict[str, Any]],
) -> Attempt:
    """What came of a try, seen through the policy's latent space."""
    space = latent_space(policy)
    latents = space.encode(images).latent
    goals = np.repeat(goal, len(latents), axis=0)
    return Attempt(
        goal_image=goal_image,
        images=images,
        decoded=space.decode(latents),
        latent_distances=space.distance(latents, goals),
        distances=measured(infos),
    )


def measured(infos: list[dict[str, Any]]) -> dict[str, Float[np.ndarray, " F"]]:
    """The true distances that a world of one told at each frame, of what is there."""
    names = [name for name in infos[0] if DISTANCE in name] if infos else []
    names = [name for name in names if np.isfinite(infos[0][name]).all()]
    return {
        name.replace(DISTANCE, ""): np.array([float(info[name][0]) for info in infos])
        for name in names
    }


def summary(task: str, attempt: Attempt) -> dict[str, Any]:
    """An attempt as one JSON object: distances at its start and at its end."""
    return {
        "task": task,
        "num_steps": len(attempt.images) - 1,
        "latent_distance": ends(attempt.latent_distances),
        "distances": {name: ends(values) for name, values in attempt.distances.items()},
    }


def ends(values: Float[np.ndarray, " F"]) -> dict[str, float]:
    """The first and the last of the values."""
    return {"start": float(values[0]), "end": float(values[-1])}
