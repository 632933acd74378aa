"""Learning from replay: sample, relabel, update."""

from dataclasses import replace
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, PRNGKeyArray

from rig.agent.agent import Agent
from rig.agent.td3 import Learner, Metrics, Rate, Transitions, update_many
from rig.config import Config, RewardConfig, TD3Config
from rig.errors import ConfigError, DivergedError
from rig.replay.buffer import ReplayBuffer
from rig.replay.n_step import n_step_returns
from rig.replay.prioritize import Shares, shares_of_change
from rig.replay.relabel import RewardOf, composed, relabel
from rig.replay.transitions import SampledTransitions
from rig.representation.representation import Representation
from rig.representation.reward import (
    BY_THING,
    IMAGE_REWARDS,
    LATENT_REWARDS,
    LatentRows,
    reward_by_thing,
)
from rig.types import Batch, Latents, Parts


UPDATES_PER_DISPATCH = 400
"""About how many updates one compiled call makes."""
IMAGE_UPDATES_PER_DISPATCH = 10
"""The same where networks see large inputs: at 48 x 48 pixels, one update takes 3 MB."""
LARGE_INPUT = 1000
"""Latents of more values, as images, are large inputs."""
TIMES = (1 / 3, 2 / 3, 1.0)
"""Parts of an episode after which it is measured how far things have moved."""
IMAGES_AT_ONCE = 512
"""Rewards that compare images do so in chunks, so that few images are in memory."""


@runtime_checkable
class Update(Protocol):
    """Updates a learner on many batches: :func:`rig.agent.td3.update_many`, or one like it."""

    def __call__(
        self,
        learner: Learner,
        batches: Transitions,
        config: TD3Config,
        learning_rate: Rate,
        *,
        key: PRNGKeyArray,
    ) -> tuple[Learner, Metrics]:
        """Return the learner after the updates, and their metrics."""


def learn(
    agent: Agent,
    replay: ReplayBuffer,
    config: Config,
    num_updates: int,
    progress: float = 0.0,
    *,
    update: Update = update_many,
    rng: np.random.Generator,
) -> tuple[Agent, dict[str, float]]:
    """Return the agent after some updates, and the metrics of the last of them.

    Args:
        agent: The agent before.
        replay: Where transitions are sampled from.
        config: Every setting.
        num_updates: The number of updates.
        progress: The fraction of the run that is done: the learning rate falls with it.
        update: Makes the updates of one dispatch.
        rng: Draws transitions, goals and sources.

    Raises:
        DivergedError: A loss is not finite.
    """
    reward_of = make_reward(config.reward, agent.representation, replay)
    learner, metrics = agent.learner, dict[str, jax.Array]()
    rate = config.td3.learning_rate_at(progress)
    input_size = len(range(agent.representation.latent_dim)[agent.representation.input_columns])
    most = IMAGE_UPDATES_PER_DISPATCH if input_size > LARGE_INPUT else UPDATES_PER_DISPATCH
    for num_cycles in dispatches(num_updates, config.td3.policy_delay, most):
        shape = (num_cycles, config.td3.policy_delay, config.td3.batch_size)
        batches = draw(agent, replay, config, reward_of, shape, rng=rng)
        key = jax.random.key(rng.integers(2**32))
        # Wait, or batches of images would queue up in memory.
        jax.block_until_ready(learner)  # type: ignore[no-untyped-call]
        learner, metrics = update(learner, batches, config.td3, rate, key=key)
    return Agent(agent.representation, learner), finite(metrics)


def dispatches(num_updates: int, policy_delay: int, about: int) -> list[int]:
    """Return the cycles of each compiled call: all equal, so that one program serves them.

    A cycle is as many updates as the actor's delay; a part of one is made whole.

    Args:
        num_updates: The number of updates asked for.
        policy_delay: Updates of a cycle.
        about: Updates of one call.
    """
    num_cycles = -(-num_updates // policy_delay)
    num_calls = max(1, round(num_cycles * policy_delay / about))
    return [-(-num_cycles // num_calls)] * (num_calls if num_cycles else 0)


def draw(
    agent: Agent,
    replay: ReplayBuffer,
    config: Config,
    reward_of: RewardOf,
    shape: tuple[int, int, int],
    *,
    rng: np.random.Generator,
) -> Transitions:
    """Draw and relabel the batches of one dispatch ``[cycles, delay, B]``, all at once."""
    num = int(np.prod(shape))
    imagined = agent.representation.imagine(num, rng=rng)
    parts = agent.representation.parts
    share = episode_shares(replay, parts, config.replay.prioritized)
    sampled = replay.sample(num, share, rng=rng)
    batch = relabel(sampled, imagined, config.goals, reward_of, parts, rng=rng)
    batch, discount = n_step_returns(batch, sampled, replay, config.td3, reward_of)
    batch = replace(batch, goal=agent.representation.as_goals(batch.goal))
    return stacked(with_columns(batch, agent.representation.input_columns), discount, shape)


def episode_shares(
    replay: ReplayBuffer, parts: Parts | None, prioritized: float
) -> Shares | None:
    """Return how often to draw each episode; None: each transition as often as any other.

    Args:
        replay: Where episodes are.
        parts: What each thing adds to a latent, where latents can be taken apart.
        prioritized: Fraction of transitions that are drawn by how far things moved.
    """
    if parts is None or len(parts) < 2 or prioritized == 0:
        return None
    later = tuple(replay.latents_after(part) for part in TIMES)
    by_change = shares_of_change(replay.latents_after(0), later, parts)
    uniform = replay.num_steps / replay.num_transitions
    return prioritized * by_change + (1 - prioritized) * uniform


def with_columns(batch: Batch, columns: slice) -> Batch:
    """Return the batch with the columns of its latents that networks see; rewards stay."""
    return replace(
        batch,
        latent=batch.latent[:, columns],
        next_latent=batch.next_latent[:, columns],
        goal=batch.goal[:, columns],
    )


def stacked(
    batch: Batch, discount: Float32[np.ndarray, " B"], shape: tuple[int, ...]
) -> Transitions:
    """Return one long batch as many, with the axes that ``update_many`` takes."""
    names = ("latent", "action", "next_latent", "goal", "reward")
    arrays = {"discount": discount, **{name: getattr(batch, name) for name in names}}
    return Transitions(
        **{
            name: jnp.asarray(array.reshape(*shape, *array.shape[1:]))
            for name, array in arrays.items()
        }
    )


def make_reward(
    config: RewardConfig, representation: Representation, replay: ReplayBuffer
) -> RewardOf:
    """Return the reward of the settings, for relabelling.

    Raises:
        ConfigError: The reward compares latents, and this representation gives them no weight.
    """
    if config.kind in IMAGE_REWARDS:
        return image_reward(config, representation, replay)
    weight = representation.weight
    if weight is None:
        raise ConfigError(
            f"reward.kind {config.kind} compares weighted latents, which this representation "
            f"does not have: choose one of {', '.join(IMAGE_REWARDS)}"
        )

    parts = parts_rewarded(config, representation)

    def reward_of(sampled: SampledTransitions, goal: Latents) -> np.ndarray:
        rows = LatentRows(
            next_latent=sampled.next_latent,
            next_log_std=sampled.next_log_std,
            goal=goal,
            weight=weight,
        )
        if parts is not None:
            return reward_by_thing(rows, config, parts)
        return LATENT_REWARDS[config.kind](rows, config)

    return reward_of


def parts_rewarded(config: RewardConfig, representation: Representation) -> Parts | None:
    """Return what each thing adds to a latent if each has a reward of its own, else None.

    A reward that is still auto counts as one that can be given for each thing.
    """
    can_be = config.kind in (*BY_THING, "auto")
    return composed(representation.parts) if config.by_thing and can_be else None


def image_reward(
    config: RewardConfig, representation: Representation, replay: ReplayBuffer
) -> RewardOf:
    """Return a reward that compares images.

    It compares with the decoded goal, whichever source the goal is from: an imagined goal has
    no other image. A collage is for people to look at: rewards stay those of the decoder.
    """
    reward = IMAGE_REWARDS[config.kind]
    decode = representation.with_collage(None).decode

    def reward_of(sampled: SampledTransitions, goal: Latents) -> np.ndarray:
        starts = range(0, len(goal), IMAGES_AT_ONCE)
        parts = [slice(start, start + IMAGES_AT_ONCE) for start in starts]
        pairs = ((replay.frames[sampled.next_row[part]], decode(goal[part])) for part in parts)
        return np.concatenate([reward(*pair, config) for pair in pairs])

    return reward_of


def finite(metrics: dict[str, jax.Array]) -> dict[str, float]:
    """Return the metrics as numbers.

    Raises:
        DivergedError: One of them is not finite.
    """
    numbers = {name: float(value) for name, value in metrics.items()}
    for name, number in numbers.items():
        if not np.isfinite(number):
            raise DivergedError(
                f"{name} is {number}: learning diverged; lower --td3.learning-rate"
            )
    return numbers
