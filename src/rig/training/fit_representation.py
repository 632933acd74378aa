"""The first fit, networks for it, and what a later fit changes besides."""

import jax
import numpy as np

from rig.agent.agent import Agent
from rig.agent.td3 import Learner, new_learner
from rig.config import Config
from rig.replay.buffer import ReplayBuffer
from rig.representation.registry import REPRESENTATIONS
from rig.representation.representation import FitMonitor, Representation
from rig.training.collect import check_motion
from rig.types import Collected, Episodes


def first_fit(
    config: Config, collected: Collected, monitor: FitMonitor, *, rng: np.random.Generator
) -> Representation:
    """Return a representation of the settings' kind, fitted to collected images.

    Raises:
        NotEnoughDataError: Nothing moves in the images.
    """
    kind = REPRESENTATIONS[config.representation_kind]
    if not kind.needs_true_state:
        check_motion(collected)
    return kind.fit(config, collected, monitor, rng=rng)


def first_learner(config: Config, action_size: int, *, rng: np.random.Generator) -> Learner:
    """Return new networks for latents of the settings' kind."""
    latent_size = REPRESENTATIONS[config.representation_kind].input_size(config)
    key = jax.random.key(rng.integers(2**32))
    return new_learner(latent_size, action_size, config.td3, key=key)


def with_imagined_goals(
    collected: Collected, representation: Representation, *, rng: np.random.Generator
) -> Episodes:
    """Return the collected episodes, each with an imagined goal."""
    return Episodes(
        num_steps=collected.num_steps,
        actions=collected.actions,
        frames=collected.images,
        encoding=representation.encode(collected.images),
        goals=representation.imagine(len(collected.num_steps), rng=rng),
    )


def finetune(
    agent: Agent,
    replay: ReplayBuffer,
    config: Config,
    monitor: FitMonitor,
    *,
    rng: np.random.Generator,
) -> Agent:
    """Return the agent with its representation fitted to replay; re-encode what replay holds.

    A stored goal stands for an image: the old representation decodes it, the new one encodes
    it, unless both see the same in it.
    """
    old = agent.representation
    new = old.finetune(replay, config, monitor, rng=rng)
    if new is old:
        return agent
    replay.reencode(new.encode, lambda goals: old.reencode_goals(goals, new))
    return Agent(new, agent.learner)
