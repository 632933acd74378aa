"""Relabelling: pretend that old transitions were aimed at other goals.

A transition stays true whatever goal it was collected under, so it can be used again with
another goal and the reward that this goal implies. Goals come from three sources::

    kept      the goal the rollout was aimed at
    future    a latent reached later in the same episode     (hindsight)
    imagined  a fresh draw from the latent prior             (imagination)

Sources: Andrychowicz et al. 2017, section 4.5 (future); Nair et al. 2018, section 4.3
(imagined).
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from rig.config import GoalMixture
from rig.replay.buffer import SampledTransitions
from rig.types import Batch, Latents


RewardOf = Callable[[SampledTransitions, Latents], Float32[np.ndarray, " B"]]
"""The reward of each recalled transition under each goal."""


def relabel(
    sampled: SampledTransitions,
    imagined: Latents,
    mixture: GoalMixture,
    reward_of: RewardOf,
    *,
    rng: np.random.Generator,
) -> Batch:
    """Gives every row a goal from the mixture, and the reward that goal implies.

    Args:
        sampled: Transitions as replay returned them. Not modified.
        imagined: One draw from the latent prior per row.
        mixture: How often each source is used.
        reward_of: The reward that a goal implies.
        rng: Decides the source of each row.
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
