"""Relabelling: pretend that old transitions pursued other goals.

A transition stays true whatever goal it was collected under, so it can be used again with
another goal and the reward that this goal implies. Goals come from three sources::

    original  the goal of the episode
    future    a latent reached later in the same episode     (hindsight)
    prior     a fresh draw from the latent prior             (imagination)

Where latents are sums of what each thing adds (``representation/things.py``), a goal can take
each thing from a source of its own: the hand from the episode's goal and an object from where
it came to lie later, for example. So a transition that moved one object teaches to move it
wherever the others should be.

Sources: Andrychowicz et al. 2017, section 4.5 (future); Nair et al. 2018, section 4.3
(prior). Things with sources of their own are ours.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float32

from rig.config import GoalConfig, GoalMixture
from rig.replay.transitions import SampledTransitions
from rig.types import Batch, Latents, Parts


MIN_COMPOSED = 3
"""Fewer things are not taken apart in goals: of a hand and one object, nothing was gained."""
RewardOf = Callable[[SampledTransitions, Latents], Float32[np.ndarray, " B"]]
"""Takes sampled transitions and a goal for each; returns the rewards."""


def relabel(
    sampled: SampledTransitions,
    imagined: Latents,
    config: GoalConfig,
    reward_of: RewardOf,
    parts: Parts | None = None,
    *,
    rng: np.random.Generator,
) -> Batch:
    """Give every row a goal from the mixture, and the reward that goal implies.

    Args:
        sampled: Transitions from replay. Not modified.
        imagined: One draw from the latent prior per row.
        config: How often each source is used, and how often by each thing for itself.
        reward_of: Returns the reward that a goal implies.
        parts: What each thing adds to a latent, where latents can be taken apart.
        rng: Draws the source of each row.
    """
    sources = (sampled.goal, sampled.future_latent, imagined)
    goal = mixed(sources, config.mixture, rng=rng)
    parts = composed(parts)
    if parts is not None and config.by_thing > 0:
        rows = rng.random(len(goal)) < config.by_thing
        some = tuple(source[rows] for source in sources)
        things = (mixed(some, config.mixture, rng=rng) @ part for part in parts)
        goal[rows] = sum(things, np.zeros_like(some[0]))
    return Batch(
        latent=sampled.latent,
        action=sampled.action,
        next_latent=sampled.next_latent,
        goal=goal,
        reward=reward_of(sampled, goal),
    )


def composed(parts: Parts | None) -> Parts | None:
    """Return what each thing adds to a latent if goals are taken apart, else None."""
    return parts if parts is not None and len(parts) >= MIN_COMPOSED else None


def mixed(
    sources: Sequence[Latents], mixture: GoalMixture, *, rng: np.random.Generator
) -> Latents:
    """Return of every row the latent of a source, drawn for the row."""
    number = rng.choice(len(sources), size=len(sources[0]), p=mixture.shares)
    return np.stack(sources)[number, np.arange(len(number))]
