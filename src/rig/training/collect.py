"""The first images: what a random policy sees, or states set by hand."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from rig.agent.explore import RandomPolicy
from rig.config import Config
from rig.envs.tabletop_env import TabletopVectorEnv
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.rollout import collect_random


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """Images, and the episodes that they came from, if they came from any."""

    images: np.ndarray
    """One after another; those of an episode are its T + 1 frames."""
    actions: Float32[np.ndarray, "actions action"]
    """What led from each frame of an episode to the next."""
    num_steps: Int[np.ndarray, " N"]
    """Each episode's T."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def rows_that_lead_on(self) -> Int[np.ndarray, " actions"]:
        """The frames that another one of their episode follows."""
        last_rows = np.cumsum(self.num_steps + 1) - 1
        return np.setdiff1d(np.arange(len(self.images)), last_rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """Its arrays by name."""
        return {name: getattr(self, name) for name in ("images", "actions", "num_steps")}


def collect_images(
    before: Collected | None, config: Config, envs: Envs, *, rng: np.random.Generator
) -> Collected:
    """What was collected before, and one more episode of every world.

    Teleporting takes all the images that are asked for at once.
    """
    if config.collect.source == "teleport":
        return teleport(config, envs, rng=rng)
    base_envs = unwrapped_envs(envs)
    policy = RandomPolicy(
        config.num_envs, base_envs.action_size, config.collect.action_correlation
    )
    seen = collect_random(envs, policy, base_envs.num_steps, rng=rng)
    new = Collected(images=seen.frames, actions=seen.actions, num_steps=seen.num_steps)
    return new if before is None else joined(before, new)


def joined(before: Collected, new: Collected) -> Collected:
    """Both, one after the other."""
    first, second = before.arrays(), new.arrays()
    return Collected(**{name: np.concatenate([first[name], second[name]]) for name in first})


def teleport(config: Config, envs: Envs, *, rng: np.random.Generator) -> Collected:
    """Pictures of random goal states; the states themselves are forgotten.

    Source: the released code of Nair et al. 2018 collected its images so. A real robot can't.
    """
    env = envs.unwrapped
    assert isinstance(env, TabletopVectorEnv)
    states = env.task.sample_states(config.collect.num_images, rng=rng)
    return Collected(
        images=env.tabletop.goal_images(states),
        actions=np.empty((0, env.tabletop.action_size), np.float32),
        num_steps=np.empty(0, np.int64),
    )
