"""The first images: what a random policy sees, or states set by hand."""

from dataclasses import dataclass

import numpy as np

from rig.agent.explore import RandomPolicy
from rig.config import Config
from rig.lab.progress import Progress
from rig.lab.rollout import wander
from rig.lab.worlds import World, worlds_of
from rig.types import Rollouts
from rig.world.environments import TabletopVectorEnv


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """Images, and the rollouts that they came from, if they came from any."""

    images: np.ndarray
    rollouts: list[Rollouts]
    """Those of each round."""


def collect(
    config: Config, world: World, progress: Progress, *, rng: np.random.Generator
) -> Collected:
    """The images that the VAE is first fitted to."""
    progress.begin("collect", config.collect.num_images)
    if config.collect.source == "teleport":
        return teleport(config, world, rng=rng)
    worlds = worlds_of(world)
    policy = RandomPolicy(config.num_worlds, worlds.action_size, config.collect.persistence)
    num_rounds = -(-config.collect.num_images // (config.num_worlds * (worlds.num_steps + 1)))
    rollouts = []
    for index in range(num_rounds):
        rollouts.append(wander(world, policy, worlds.num_steps, rng=rng))
        progress.advance(config.collect.num_images * (index + 1) // num_rounds, {})
    images = np.concatenate([some.frames for some in rollouts])
    return Collected(images=images, rollouts=rollouts)


def teleport(config: Config, world: World, *, rng: np.random.Generator) -> Collected:
    """Pictures of random goal states; the states themselves are forgotten.

    Source: the released code of Nair et al. 2018 collected its images so. A real robot can't.
    """
    env = world.unwrapped
    assert isinstance(env, TabletopVectorEnv)
    states = env.task.sample_goals(config.collect.num_images, rng=rng)
    return Collected(images=env.tabletop.goal_images(states), rollouts=[])
