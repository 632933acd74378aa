"""Relabelling: pretend that old transitions pursued other goals.

A transition stays true whatever goal it was collected under, so it can be used again with
another goal and the reward that this goal implies. Goals come from three sources::

    original  the goal of the episode
    future    a latent reached later in the same episode     (hindsight)
    prior     a fresh draw from the latent prior             (imagination)

Sources: Andrychowicz et al. 2017, section 4.5 (future); Nair et al. 2018, section 4.3
(prior).
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from rig.config import GoalMixture
from rig.replay.transitions import SampledTransitions
from rig.types import Batch, Latents


RewardOf = Callable[[SampledTransitions, Latents], Float32[np.ndarray, " B"]]
"""Takes sampled transitions and a goal for each; returns the rewards."""


def relabel(
    sampled: SampledTransitions,
    imagined: Latents,
    mixture: GoalMixture,
    reward_of: RewardOf,
    *,
    rng: np.random.Generator,
) -> Batch:
    """Give every row a goal from the mixture, and the reward that goal implies.

    Args:
        sampled: Transitions from replay. Not modified.
        imagined: One draw from the latent prior per row.
        mixture: How often each source is used.
        reward_of: Returns the reward that a goal implies.
        rng: Draws the source of each row.
    """
    source = rng.choice(3, size=len(sampled), p=mixture.shares)
    goal = sampled.goal.copy()
    for number, others in enumerate((sampled.future_latent, imagined), 1):
        goal[source == number] = others[source == number]
    return Batch(
        latent=sampled.latent,
        action=sampled.action,
        next_latent=sampled.next_latent,
        goal=goal,
        reward=reward_of(sampled, goal),
    )
