"""N-step returns: the rewards of several steps are summed before the critics' value.

A reward then reaches the transitions before it in fewer updates. Each of the summed rewards is
for the goal that the transition was relabelled with.

Source: Sutton and Barto 2018, chapter 7. As in Rainbow (Hessel et al. 2018), nothing corrects
for the actions after the first one: they are those that were taken, by an older policy and
for another goal. More steps learn faster, and less exactly.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from rig.config import TD3Config, decided
from rig.replay.buffer import ReplayBuffer
from rig.replay.relabel import RewardOf
from rig.replay.transitions import SampledTransitions
from rig.types import Batch


def n_step_returns(
    batch: Batch,
    sampled: SampledTransitions,
    replay: ReplayBuffer,
    config: TD3Config,
    reward_of: RewardOf,
) -> tuple[Batch, Float32[np.ndarray, " B"]]:
    """Return the batch with the rewards of several steps, and the discount of what follows.

    Near the end of an episode there are fewer steps.

    Args:
        batch: Transitions with their goals and the rewards of one step.
        sampled: The same, as they were sampled.
        replay: Where they were sampled from.
        config: Discount, and the number of steps.
        reward_of: Returns the reward that a goal implies.
    """
    gamma, n_steps = decided(config.gamma), decided(config.n_steps)
    reward, later = batch.reward, sampled
    for steps in range(1, min(n_steps, sampled.num_left.max())):
        later = replay.later(sampled, steps)
        is_there = sampled.num_left > steps
        reward = reward + gamma**steps * is_there * reward_of(later, batch.goal)
    num_steps = np.minimum(sampled.num_left, n_steps)
    batch = replace(batch, reward=np.asarray(reward, np.float32), next_latent=later.next_latent)
    return batch, np.asarray(gamma**num_steps, np.float32)
