"""An attempt at one goal image.

The policy sees the camera image and the goal image, both through its encoder, and nothing else.
Where the true state of the goal is known, true distances are measured.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from rig.agent.agent import Agent
from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv
from rig.envs.tabletop import STEP_S
from rig.goals.goal_image import GoalImage
from rig.inference.open_run import image_representation
from rig.training.evaluate import DISTANCE
from rig.training.make_envs import Envs, unwrapped_envs
from rig.types import Latents


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt at one goal image: F frames, the first before any action."""

    goal_image: UInt8[np.ndarray, "H W 3"]
    images: UInt8[np.ndarray, "F H W 3"]
    decoded: UInt8[np.ndarray, "F H W 3"]
    """The decoded latent of each image."""
    latent_distances: Float32[np.ndarray, " F"]
    """Distance from the latent of each image to the goal's, as the reward measures it."""
    distances: dict[str, Float[np.ndarray, " F"]]
    """Distance of each object from its goal, as ``hand_m``; empty where it is not known."""
    step_s: float = STEP_S
    """Seconds between two frames."""


def reach(agent: Agent, envs: Envs, goal_image: GoalImage) -> Attempt:
    """Try to reach a goal image, in a vector environment of one.

    True distances are measured if the image is of this task and carries its state.
    """
    base_envs = unwrapped_envs(envs)
    known = goals_in(goal_image, base_envs)
    goal = image_representation(agent).encode(goal_image.image[None]).latent
    observation, info = envs.reset(seed=0, options=known.options() if known else None)
    images, infos, latents = [observation["observation"]], [info], []
    for _ in range(base_envs.num_steps):
        action, encoding = agent.act(images[-1], goal, use_target_actor=True)
        latents.append(encoding.latent)
        observation, _reward, _terminated, _truncated, info = envs.step(action)
        images.append(observation["observation"])
        infos.append(info)
    latents.append(agent.representation.encode(images[-1]).latent)
    seen = np.concatenate(images), np.concatenate(latents)
    tried = attempt(agent, goal_image.image, goal, *seen, infos if known else [])
    return replace(tried, step_s=base_envs.step_s)


def goals_in(goal_image: GoalImage, base_envs: ImageGoalVectorEnv) -> Goals | None:
    """Return the image as a goal of these environments, if they can measure its distance."""
    shape = (len(base_envs.state_names),)
    state = goal_image.state if goal_image.task == base_envs.id else None
    if state is None or state.shape != shape:  # a task may have changed since
        return None if base_envs.state_names else goal_of(goal_image, np.empty(0), seed=0)
    return goal_of(goal_image, state, seed=goal_image.seed)


def goal_of(goal_image: GoalImage, state: Float64[np.ndarray, " state"], seed: int) -> Goals:
    """Return the image as one goal with this state, and the seed of its start."""
    return Goals(images=goal_image.image[None], states=state[None], seeds=np.array([seed]))


def attempt(
    agent: Agent,
    goal_image: UInt8[np.ndarray, "H W 3"],
    goal: Latents,
    images: np.ndarray,
    latents: Float32[np.ndarray, "F latent"] | UInt8[np.ndarray, "F latent"],
    infos: list[dict[str, Any]],
) -> Attempt:
    """Return an attempt, with its latents decoded and compared with the goal's."""
    representation = image_representation(agent)
    goals = np.repeat(goal, len(latents), axis=0)
    return Attempt(
        goal_image=goal_image,
        images=representation.images_of(images),
        decoded=representation.decode(latents),
        latent_distances=representation.distance(latents, goals),
        distances=measured(infos),
    )


def measured(infos: list[dict[str, Any]]) -> dict[str, Float[np.ndarray, " F"]]:
    """Return the true distances at each frame, of the objects that are there."""
    names = [name for name in infos[0] if DISTANCE in name] if infos else []
    names = [name for name in names if np.isfinite(infos[0][name]).all()]
    return {
        name.replace(DISTANCE, ""): np.array([float(info[name][0]) for info in infos])
        for name in names
    }


def summary(task: str, attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as a JSON object: distances at its start and at its end."""
    return {
        "task": task,
        "num_steps": len(attempt.images) - 1,
        "latent_distance": ends(attempt.latent_distances),
        "distances": {name: ends(values) for name, values in attempt.distances.items()},
    }


def ends(values: Float[np.ndarray, " F"]) -> dict[str, float]:
    """Return the first and the last of the values."""
    return {"start": float(values[0]), "end": float(values[-1])}
