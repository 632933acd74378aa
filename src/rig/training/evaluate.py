"""Evaluation: the goal images of a fixed set, and how near the robot comes.

The goals are drawn once from a seed that training never uses, and are the same for every run
of a task; a second set of them is there to choose settings by. Distances are true ones,
measured by the environment at the last step; nothing here reaches learning.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from rig.agent.agent import Agent
from rig.config import Config
from rig.envs.image_goal_env import Goals
from rig.goals.tried_goals import TriedGoals
from rig.representation.representation import Representation
from rig.representation.reward import IMAGE_REWARDS, LATENT_REWARDS, LatentRows
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.summary import by_num_objects, sum_up


GOAL_SEEDS = {"test": 20_181_204, "tuning": 777}
"""Seeds of the goal sets, by the names in ``EvaluateConfig.goals``."""
GOALS_AT_ONCE = 50
"""Environments that run side by side."""
SUCCESS = "is_success"
"""The key of an environment's own rule of success."""
DISTANCE = "_distance"
"""What the keys of measured distances have in common, as ``puck_distance_m``."""

Distances = dict[str, Float64[np.ndarray, "_"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """The results of a set of goal images; G rows each."""

    goal_frames: np.ndarray
    first_frames: np.ndarray
    final_frames: np.ndarray
    distances: Distances
    """Of each object from its goal at the last step: ``hand_m``, ``door_rad``; NaN where it is
    absent."""
    do_nothing: Distances
    """The same at the first step: the score of the no-op policy."""
    successes: Float64[np.ndarray, " G"]
    """1 where the last step was a success by the environment's own rule; NaN if it has none."""


def evaluation_goals(envs: Envs, num: int, kind: str = "test") -> Goals:
    """Return the goals of a fixed set: the first ones are the same whatever the number."""
    return unwrapped_envs(envs).goals(num, rng=np.random.default_rng(GOAL_SEEDS[kind]))


def try_goals(agent: Agent, envs: Envs, goals: Goals) -> Trial:
    """Let the agent try to reach every goal, without noise, by its target actor."""
    parts = [
        _try_some(agent, envs, goals.rows(slice(start, start + envs.num_envs)))
        for start in range(0, len(goals), envs.num_envs)
    ]
    return Trial(
        goal_frames=np.concatenate([part.goal_frames for part in parts]),
        first_frames=np.concatenate([part.first_frames for part in parts]),
        final_frames=np.concatenate([part.final_frames for part in parts]),
        distances=_concatenate([part.distances for part in parts]),
        do_nothing=_concatenate([part.do_nothing for part in parts]),
        successes=np.concatenate([part.successes for part in parts]),
    )


def tried_goals(
    representation: Representation, config: Config, trial: Trial
) -> TriedGoals | None:
    """Return the goals of a trial, and which were reached; None without goal images.

    A goal is reached where the sparse reward is 0, whatever the reward of the run is. True
    states are not looked at.
    """
    reward = config.reward
    if representation.needs_true_state:
        return None
    goal = representation.encode(trial.goal_frames)
    if representation.weight is None or reward.is_pixel:
        images = (representation.images_of(trial.final_frames), trial.goal_frames)
        rewards = IMAGE_REWARDS["pixel_sparse"](*images, reward)
    else:
        final = representation.encode(trial.final_frames)
        rows = LatentRows(
            next_latent=final.latent,
            next_log_std=final.log_std,
            goal=goal.latent,
            weight=representation.weight,
        )
        rewards = LATENT_REWARDS["sparse"](rows, reward)
    return TriedGoals(latents=goal.latent, is_reached=rewards == 0)


def tried_goals_files(agent: Agent, config: Config, trial: Trial) -> dict[str, bytes]:
    """Return the same as files by name; none without goal images."""
    tried = tried_goals(agent.representation, config, trial)
    return {} if tried is None else tried.files()


def _try_some(agent: Agent, envs: Envs, goals: Goals) -> Trial:
    """Run an episode for at most ``num_envs`` goals; spare environments repeat some."""
    num = len(goals)
    filled = goals.rows(np.resize(np.arange(num), envs.num_envs))
    observation, info = envs.reset(options=filled.options())
    first, do_nothing = observation["observation"].copy(), _distances(info, num)
    latents = agent.representation.encode(observation["desired_goal"]).latent
    for _ in range(unwrapped_envs(envs).num_steps):
        action, _encoding = agent.act(
            observation["observation"], latents, use_target_actor=True
        )
        observation, _reward, _terminated, _truncated, info = envs.step(action)
    return Trial(
        goal_frames=observation["desired_goal"][:num],
        first_frames=first[:num],
        final_frames=observation["observation"][:num],
        distances=_distances(info, num),
        do_nothing=do_nothing,
        successes=np.asarray(info.get(SUCCESS, np.full(num, np.nan)))[:num],
    )


def _distances(info: dict[str, Any], num: int) -> Distances:
    """Return the measured distances of the first environments."""
    return {
        name.replace(DISTANCE, ""): np.array(values)[:num]
        for name, values in info.items()
        if DISTANCE in name and not name.startswith("_")
    }


def _concatenate(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def table(config: Config, trial: Trial, num_env_steps: int) -> dict[str, Any]:
    """Return the evaluation as one JSON object."""
    succeeded = trial.successes[np.isfinite(trial.successes)]
    own_rule = {"success_share": float(succeeded.mean())} if len(succeeded) else {}
    by_number = by_num_objects(trial.distances, trial.do_nothing)
    about_numbers = {"by_num_objects": by_number} if by_number else {}
    figures = {
        "task": config.task,
        "goals": config.evaluate.goals,
        "num_episodes": len(trial.goal_frames),
        "num_env_steps": num_env_steps,
        "distances": sum_up(trial.distances, trial.do_nothing),
    }
    return own_rule | figures | about_numbers
