"""The first images: what a random policy sees, or states set by hand."""

from dataclasses import dataclass

import numpy as np

from rig.agent.explore import RandomPolicy
from rig.config import Config
from rig.lab.evaluate import World, tabletop_env
from rig.lab.progress import Progress
from rig.lab.rollout import wander


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """Images, and the episodes that they came from, if they came from any."""

    images: np.ndarray
    episodes: list[tuple[np.ndarray, np.ndarray]]
    """Actions ``[N, T, action]`` and frames ``[N, T+1, ...]`` of each round."""


def collect(
    config: Config, world: World, progress: Progress, *, rng: np.random.Generator
) -> Collected:
    """The images that the VAE is first fitted to."""
    progress.begin("collect", config.collect.num_images)
    if config.collect.source == "teleport":
        return teleport(config, world, rng=rng)
    env = tabletop_env(world)
    action_size = env.tabletop.action_size
    policy = RandomPolicy(config.num_worlds, action_size, config.collect.persistence)
    num_rounds = -(-config.collect.num_images // (config.num_worlds * (env.task.num_steps + 1)))
    episodes = []
    for index in range(num_rounds):
        episodes.append(wander(world, policy, env.task.num_steps, rng=rng))
        progress.advance(config.collect.num_images * (index + 1) // num_rounds, {})
    frames = np.concatenate([frames for _, frames in episodes])
    return Collected(images=frames.reshape(-1, *frames.shape[2:]), episodes=episodes)


def teleport(config: Config, world: World, *, rng: np.random.Generator) -> Collected:
    """Pictures of random goal states; the states themselves are forgotten.

    Source: the released code of Nair et al. 2018 collected its images so. A real robot can't.
    """
    env = tabletop_env(world)
    states = env.task.sample_states(config.collect.num_images, rng=rng)
    return Collected(images=env.tabletop.goal_images(states), episodes=[])
