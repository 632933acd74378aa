"""Record practice, as episodes of images and actions."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rig.agent.agent import Agent
from rig.agent.explore import Noise, RandomPolicy
from rig.config import Config
from rig.datasets.dataset_writer import DatasetWriter
from rig.training.horizon import with_horizon
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.rollout import collect_random, collect_rollouts
from rig.types import Episodes, Rollouts


def record(
    path: Path,
    envs: Envs,
    config: Config,
    num_episodes: int,
    agent: Agent | None = None,
    *,
    rng: np.random.Generator,
) -> int:
    """Record practice as a LeRobot dataset; return the number of frames.

    Args:
        path: The directory of the new dataset.
        envs: Practise in these.
        config: Its exploration is used; with an agent, its kind of reward is not auto.
        num_episodes: At least this many are recorded.
        agent: Practises towards goals that it imagines. None: actions are random.
        rng: Decides everything random.

    Raises:
        RecordingError: The directory is not empty, or images can't be stored as video.
    """
    base_envs = unwrapped_envs(envs)
    fps = round(1 / base_envs.step_s)
    sentence = f"practice in {base_envs.id}"
    num_done, num_frames = 0, 0
    with DatasetWriter(path, base_envs.id, sentence, fps) as writer:
        while num_done < num_episodes:
            for images, actions in practise(envs, config, agent, rng=rng):
                if num_done < num_episodes:
                    writer.add(images, actions)
                    num_done, num_frames = num_done + 1, num_frames + len(images)
    return num_frames


def practise(
    envs: Envs, config: Config, agent: Agent | None, *, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the images and actions of each episode of one rollout."""
    base_envs = unwrapped_envs(envs)
    num_envs, num_steps = base_envs.num_envs, base_envs.num_steps
    if agent is None:
        correlation = config.collect.action_correlation
        policy = RandomPolicy(num_envs, base_envs.action_size, correlation)
        return episodes_of(collect_random(envs, policy, num_steps, rng=rng))
    goals = [agent.representation.imagine(num_envs, rng=rng)]
    explore = with_horizon(config).explore
    noise = Noise(num_envs, base_envs.action_size, explore)
    return episodes_of(collect_rollouts(envs, agent.act, goals, noise, num_steps, rng=rng))


def episodes_of(rollouts: Rollouts | Episodes) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the images and actions of each episode."""
    row = action = 0
    for num in rollouts.num_steps.tolist():
        images = rollouts.frames[row : row + num + 1]
        yield images, rollouts.actions[action : action + num]
        row, action = row + num + 1, action + num
