"""The first images: from a random policy, or from random states that are set."""

import numpy as np

from rig.agent.explore import RandomPolicy
from rig.config import Config
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.rollout import collect_random
from rig.types import Collected


MAX_ROUND_STEPS = 100
"""Steps per environment between two rounds of learning, at most: our own tasks' episodes are as
long or shorter."""


def collect_images(
    before: Collected | None, config: Config, envs: Envs, *, rng: np.random.Generator
) -> Collected:
    """Return what was collected before, and one more rollout of every environment.

    A rollout is an episode; where episodes are long, it is cut to the steps that are still
    needed. Teleporting takes all images at once.
    """
    if config.collect.source == "teleport":
        return teleport(config, envs, rng=rng)
    base_envs = unwrapped_envs(envs)
    policy = RandomPolicy(
        config.num_envs, base_envs.action_size, config.collect.action_correlation
    )
    left = config.collect.num_images - (0 if before is None else len(before))
    rounds = -(-left // (config.num_envs * MAX_ROUND_STEPS))
    num_steps = min(base_envs.num_steps, rounds * MAX_ROUND_STEPS)
    seen = collect_random(envs, policy, num_steps, rng=rng)
    new = Collected(images=seen.frames, actions=seen.actions, num_steps=seen.num_steps)
    return new if before is None else joined(before, new)


def joined(before: Collected, new: Collected) -> Collected:
    """Return both, one after the other."""
    first, second = before.arrays(), new.arrays()
    return Collected(**{name: np.concatenate([first[name], second[name]]) for name in first})


def teleport(config: Config, envs: Envs, *, rng: np.random.Generator) -> Collected:
    """Return images of random goal states; the states themselves are dropped.

    Source: the released code of Nair et al. 2018 collected its images so. A real robot can't.
    """
    env = unwrapped_envs(envs)
    assert env.task is not None
    states = env.task.sample_states(config.collect.num_images, rng=rng)
    return Collected(
        images=env.images_of(states),
        actions=np.empty((0, env.action_size), np.float32),
        num_steps=np.empty(0, np.int64),
    )
