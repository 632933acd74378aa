"""Evaluation: the goal pictures of a fixed set, and how near the robot comes.

The goals are drawn once from a seed that training never uses, and are the same for every run
of a task. Distances are true ones, told by the world at the last step; nothing here reaches
learning.
"""

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv
from jaxtyping import Float64

from rig.config import Config
from rig.lab.oracle import OracleView
from rig.lab.policy import Policy
from rig.lab.summary import by_num_objects, sum_up
from rig.world.environments import TabletopVectorEnv
from rig.world.tasks import find_task, full_name


EVALUATION_SEED = 20_181_204
"""Draws the goal states of evaluation."""
GOALS_AT_ONCE = 50
"""Worlds that try side by side."""
DISTANCE = "_distance"
"""What the keys of measured distances have in common, as ``puck_distance_m``."""

Distances = dict[str, Float64[np.ndarray, "_"]]
World = VectorEnv[Any, Any, Any]
"""Worlds as Gymnasium has them: the seam that the loop drives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came of a set of goal pictures; G rows each."""

    goal_frames: np.ndarray
    first_frames: np.ndarray
    final_frames: np.ndarray
    distances: Distances
    """Of each object from its goal at the last step: ``hand_m``, ``door_rad``; NaN where it is
    not there."""
    do_nothing: Distances
    """The same at the first step: what staying there would score."""


def make_world(config: Config, num_worlds: int) -> World:
    """Worlds of the run's task, as the run sees them."""
    world = gymnasium.make_vec(
        full_name(config.task),
        num_envs=num_worlds,
        vectorization_mode="vector_entry_point",
        image_size=config.image_size,
    )
    return OracleView(world) if config.oracle else world


def tabletop_env(world: World) -> TabletopVectorEnv:
    """The tabletop under a world and its wrappers."""
    env = world.unwrapped
    assert isinstance(env, TabletopVectorEnv)
    return env


def evaluation_goals(task: str, num: int) -> Float64[np.ndarray, "G state"]:
    """The goal states of the fixed set: the first ones are the same whatever the number."""
    rng = np.random.default_rng(EVALUATION_SEED)
    size = max(num, GOALS_AT_ONCE * 20)
    return find_task(task).sample_goals(size, rng=rng)[:num]


def try_goals(
    policy: Policy, world: World, goal_states: Float64[np.ndarray, "G state"]
) -> Trial:
    """Lets the policy try to reach every goal, a world each, without noise."""
    num_steps = tabletop_env(world).task.num_steps
    parts = [
        _try_some(policy, world, goal_states[start : start + world.num_envs], num_steps)
        for start in range(0, len(goal_states), world.num_envs)
    ]
    return Trial(
        goal_frames=np.concatenate([part.goal_frames for part in parts]),
        first_frames=np.concatenate([part.first_frames for part in parts]),
        final_frames=np.concatenate([part.final_frames for part in parts]),
        distances=_concatenate([part.distances for part in parts]),
        do_nothing=_concatenate([part.do_nothing for part in parts]),
    )


def _try_some(
    policy: Policy, world: World, goal_states: Float64[np.ndarray, "G state"], num_steps: int
) -> Trial:
    """One episode for at most as many goals as there are worlds; spare worlds repeat some."""
    num = len(goal_states)
    filled = np.resize(goal_states, (world.num_envs, goal_states.shape[1]))
    observation, info = world.reset(options={"goal_states": filled})
    first, do_nothing = observation["observation"], info
    goals = policy.space.encode(observation["desired_goal"]).latent
    for _ in range(num_steps):
        action, _encoding = policy.act_steadily(observation["observation"], goals)
        observation, _reward, _terminated, _truncated, info = world.step(action)
    return Trial(
        goal_frames=observation["desired_goal"][:num],
        first_frames=first[:num],
        final_frames=observation["observation"][:num],
        distances=_distances(info, num),
        do_nothing=_distances(do_nothing, num),
    )


def _distances(info: dict[str, Any], num: int) -> Distances:
    """The measured distances of the first worlds."""
    return {
        name.replace(DISTANCE, ""): np.asarray(values)[:num]
        for name, values in info.items()
        if DISTANCE in name and not name.startswith("_")
    }


def _concatenate(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def table(config: Config, trial: Trial, num_env_steps: int) -> dict[str, Any]:
    """The evaluation as one JSON object."""
    figures: dict[str, Any] = {
        "task": config.task,
        "num_episodes": len(trial.goal_frames),
        "num_env_steps": num_env_steps,
        "distances": sum_up(trial.distances, trial.do_nothing),
    }
    by_number = by_num_objects(trial.distances, trial.do_nothing)
    return figures | ({"by_num_objects": by_number} if by_number else {})
