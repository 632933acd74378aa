"""Learning from memory: recall, pretend, update."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rig.agent.agent import Agent
from rig.agent.td3 import Lesson, Transitions
from rig.config import Config, RewardConfig
from rig.errors import DivergedError
from rig.replay.buffer import ReplayBuffer, SampledTransitions
from rig.replay.relabel import RewardOf, relabel
from rig.representation.hybrid import input_columns
from rig.representation.reward import (
    latent_reward,
    log_probability_reward,
    pixel_distance_reward,
    pixel_reward,
    pixel_sparse_reward,
    sparse_reward,
    sqrt_distance_reward,
)
from rig.training.seeds_together import Lessons
from rig.types import Batch, Latents


UPDATES_PER_DISPATCH = 400
"""About how many updates one compiled call makes."""
IMAGE_UPDATES_PER_DISPATCH = 10
"""The same where the agent sees pictures: the batches of one update take 3 MB then."""


def learn(
    policy: Agent,
    replay: ReplayBuffer,
    config: Config,
    num_updates: int,
    progress: float = 0.0,
    *,
    rng: np.random.Generator,
) -> Lessons[tuple[Agent, dict[str, float]]]:
    """The policy after that many updates, and the metrics of the last ones.

    Args:
        policy: What it was.
        replay: What is recalled.
        config: Every setting.
        num_updates: How many.
        progress: Share of the run that is over: the step size falls with it.
        rng: Decides what is recalled, relabelled and imagined.

    Raises:
        DivergedError: A loss is not finite.
    """
    reward_of = make_reward(config.reward, policy.space, replay)
    learner, metrics = policy.learner, dict[str, jax.Array]()
    rate = config.td3.learning_rate_at(progress)
    most = IMAGE_UPDATES_PER_DISPATCH if config.is_end_to_end else UPDATES_PER_DISPATCH
    for num_cycles in dispatches(num_updates, config.td3.policy_delay, most):
        shape = (num_cycles, config.td3.policy_delay, config.td3.batch_size)
        batches = draw(policy, replay, config, reward_of, shape, rng=rng)
        key = jax.random.key(rng.integers(2**32))
        # Or batches of pictures would queue up in memory.
        jax.block_until_ready(learner)  # type: ignore[no-untyped-call]
        learner, metrics = yield Lesson(learner, batches, config.td3, rate, key)
    return Agent(policy.space, learner), finite(metrics)


def dispatches(num_updates: int, policy_delay: int, about: int) -> list[int]:
    """Cycles of each compiled call: equal, so that one program serves them all.

    A cycle is as many updates as the actor's delay; a part of one is made whole.

    Args:
        num_updates: How many are asked for.
        policy_delay: Updates of a cycle.
        about: Updates of one call.
    """
    num_cycles = -(-num_updates // policy_delay)
    num_calls = max(1, round(num_cycles * policy_delay / about))
    return [-(-num_cycles // num_calls)] * (num_calls if num_cycles else 0)


def draw(
    policy: Agent,
    replay: ReplayBuffer,
    config: Config,
    reward_of: RewardOf,
    shape: tuple[int, int, int],
    *,
    rng: np.random.Generator,
) -> Transitions:
    """The batches of one dispatch ``[cycles, delay, B]``, drawn and relabelled all at once."""
    num = int(np.prod(shape))
    imagined = policy.space.imagine(num, rng=rng)
    sampled = replay.sample(num, rng=rng)
    batch = relabel(sampled, imagined, config.goals.mixture, reward_of, rng=rng)
    return stacked(seen_of(batch, input_columns(policy.space)), shape)


def seen_of(batch: Batch, columns: slice) -> Batch:
    """The batch with the columns of its latents that networks see; its rewards stay."""
    seen = {name: getattr(batch, name)[:, columns] for name in LATENTS}
    return replace(batch, **seen)


LATENTS = ("latent", "next_latent", "goal")


def stacked(batch: Batch, shape: tuple[int, ...]) -> Transitions:
    """One long batch as many, with the axes that ``update_many`` takes."""
    names = ("latent", "action", "next_latent", "goal", "reward")
    arrays = {name: getattr(batch, name) for name in names}
    return Transitions(
        **{
            name: jnp.asarray(array.reshape(*shape, *array.shape[1:]))
            for name, array in arrays.items()
        }
    )


def make_reward(config: RewardConfig, space: Any, replay: ReplayBuffer) -> RewardOf:
    """The reward of the settings, for relabelling."""
    return (latent_rewards(config, space) | pixel_rewards(config, space, replay))[config.kind]


def latent_rewards(config: RewardConfig, space: Any) -> dict[str, RewardOf]:
    """The rewards that look at latents, by name."""

    def counting(latent: Latents) -> Latents:
        """What has no weight is the same everywhere."""
        return latent * (space.weight > 0)

    return {
        "latent": lambda sampled, goal: latent_reward(sampled.next_latent, goal, space.weight),
        "sqrt_distance": lambda sampled, goal: sqrt_distance_reward(
            sampled.next_latent, goal, space.weight
        ),
        "log_probability": lambda sampled, goal: log_probability_reward(
            sampled.next_latent, goal, sampled.next_log_std, config.min_std
        ),
        "sparse": lambda sampled, goal: sparse_reward(
            counting(sampled.next_latent),
            counting(goal),
            sampled.next_log_std,
            config.min_std,
            config.sparse_threshold,
        ),
    }


def pixel_rewards(
    config: RewardConfig, space: Any, replay: ReplayBuffer
) -> dict[str, RewardOf]:
    """The rewards that look at pictures, by name.

    They compare with the decoded goal, whichever source the goal came from: an imagined goal
    has no other picture.
    """
    rewards: dict[str, PixelReward] = {
        "pixel": pixel_reward,
        "pixel_distance": pixel_distance_reward,
        "pixel_sparse": partial(pixel_sparse_reward, threshold=config.pixel_threshold),
    }

    def of_pictures(
        reward: PixelReward, sampled: SampledTransitions, goal: Latents
    ) -> np.ndarray:
        """A part at a time, so that few images are in memory at once."""
        starts = range(0, len(goal), PIXEL_CHUNK)
        parts = [slice(start, start + PIXEL_CHUNK) for start in starts]
        return np.concatenate(
            [
                reward(replay.frames[sampled.next_row[part]], space.decode(goal[part]))
                for part in parts
            ]
        )

    return {name: partial(of_pictures, reward) for name, reward in rewards.items()}


PixelReward = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Images and goal pictures in, rewards out."""
PIXEL_CHUNK = 512


def finite(metrics: dict[str, jax.Array]) -> dict[str, float]:
    """The metrics as numbers.

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
