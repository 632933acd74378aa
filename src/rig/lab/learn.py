"""Learning from memory: recall, pretend, update."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rig.agent.td3 import Transitions, update_many
from rig.config import Config, RewardConfig
from rig.errors import DivergedError
from rig.lab.policy import Policy
from rig.lab.swap import input_columns
from rig.latent.reward import (
    latent_reward,
    log_probability_reward,
    pixel_reward,
    root_reward,
    sparse_reward,
)
from rig.latent.space import LatentSpace
from rig.memory.relabel import RewardOf, relabel
from rig.memory.replay import Recalled, Replay
from rig.types import Batch


UPDATES_PER_DISPATCH = 400
"""About how many updates one compiled call makes."""


def learn(
    policy: Policy,
    replay: Replay,
    config: Config,
    num_updates: int,
    progress: float = 0.0,
    *,
    rng: np.random.Generator,
) -> tuple[Policy, dict[str, float]]:
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
    learner, metrics = policy.learner, {}
    rate = config.td3.learning_rate_at(progress)
    for num_cycles in dispatches(num_updates, config.td3.policy_delay):
        shape = (num_cycles, config.td3.policy_delay, config.td3.batch_size)
        batches = draw(policy, replay, config, reward_of, shape, rng=rng)
        key = jax.random.key(rng.integers(2**32))
        learner, metrics = update_many(learner, batches, config.td3, rate, key=key)
    return Policy(policy.space, learner), finite(metrics)


def dispatches(num_updates: int, policy_delay: int) -> list[int]:
    """Cycles of each compiled call: equal, so that one program serves them all.

    A cycle is as many updates as the actor's delay; a part of one is made whole.
    """
    num_cycles = -(-num_updates // policy_delay)
    num_calls = max(1, round(num_cycles * policy_delay / UPDATES_PER_DISPATCH))
    return [-(-num_cycles // num_calls)] * (num_calls if num_cycles else 0)


def draw(
    policy: Policy,
    replay: Replay,
    config: Config,
    reward_of: RewardOf,
    shape: tuple[int, int, int],
    *,
    rng: np.random.Generator,
) -> Transitions:
    """The batches of one dispatch ``[cycles, delay, B]``, drawn and relabelled all at once."""
    num = int(np.prod(shape))
    imagined = policy.space.imagine(num, rng=rng)
    recalled = replay.sample(num, rng=rng)
    batch = relabel(recalled, imagined, config.goals.mixture, reward_of, rng=rng)
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


def make_reward(config: RewardConfig, space: Any, replay: Replay) -> RewardOf:
    """The reward of the settings, for relabelling.

    The pixel reward compares with the decoded goal, whichever source the goal came from: an
    imagined goal has no other picture.
    """
    kinds: dict[str, RewardOf] = {
        "latent": lambda recalled, goal: latent_reward(
            recalled.next_latent, goal, space.weight
        ),
        "root": lambda recalled, goal: root_reward(recalled.next_latent, goal, space.weight),
        "log_probability": lambda recalled, goal: log_probability_reward(
            recalled.next_latent, goal, recalled.next_log_std, config.min_std
        ),
        "sparse": lambda recalled, goal: sparse_reward(
            recalled.next_latent,
            goal,
            recalled.next_log_std,
            config.min_std,
            config.sparse_threshold,
        ),
        "pixel": lambda recalled, goal: chunked_pixel_reward(recalled, goal, space, replay),
    }
    return kinds[config.kind]


def chunked_pixel_reward(
    recalled: Recalled, goal: np.ndarray, space: LatentSpace, replay: Replay
) -> np.ndarray:
    """The pixel reward, a part at a time, so that few images are in memory at once."""
    starts = range(0, len(goal), PIXEL_CHUNK)
    parts = [slice(start, start + PIXEL_CHUNK) for start in starts]
    return np.concatenate(
        [
            pixel_reward(replay.frames[recalled.next_row[part]], space.decode(goal[part]))
            for part in parts
        ]
    )


PIXEL_CHUNK = 4096


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
