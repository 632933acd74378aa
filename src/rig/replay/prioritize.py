"""Prioritised replay: episodes in which things moved far are drawn more often.

In most episodes of practice only the hand moves. What teaches to move an object is in the few
in which it moved. Here each thing counts alike: of what all episodes together moved a thing, an
episode has a share, and it is drawn in proportion to its shares of all things. So with a hand
and a puck, half of what is drawn is from episodes in which the puck moved.

Source: Zhao and Tresp 2018 (energy-based prioritization), who draw episodes by the energy of
the object. Differs: nothing says which thing is the object, so all of them count, in latent
space (``representation/things.py``).
"""

import numpy as np
from jaxtyping import Float32, Float64, Int

from rig.types import Latents, Parts


Steps = Int[np.ndarray, " B"]
Shares = Float64[np.ndarray, " episodes"]
"""How often each episode is drawn; they sum to 1."""
MIN_MOVED = 1e-6
"""Keeps shares finite where nothing moved."""


def draw_steps(
    num_steps: Int[np.ndarray, " episodes"],
    num: int,
    share: Shares | None,
    *,
    rng: np.random.Generator,
) -> tuple[Steps, Steps]:
    """Draw episodes and a step of each.

    Args:
        num_steps: Of each episode.
        num: How many to draw.
        share: How often each episode is drawn; if not given, each step is as likely as any
            other: one beyond the end of its episode is drawn again, with another episode.
        rng: Draws them.
    """
    if share is not None:
        episode = rng.choice(len(num_steps), size=num, p=share)
        return episode, rng.integers(num_steps[episode])
    longest = num_steps.max()
    episode = rng.integers(len(num_steps), size=num)
    step = rng.integers(longest, size=num)
    again = np.flatnonzero(step >= num_steps[episode])
    while len(again):
        episode[again] = rng.integers(len(num_steps), size=len(again))
        step[again] = rng.integers(longest, size=len(again))
        again = again[step[again] >= num_steps[episode[again]]]
    return episode, step


def shares_of_change(first: Latents, later: tuple[Latents, ...], parts: Parts) -> Shares:
    """Return how often to draw each episode.

    Args:
        first: The first latent of each episode.
        later: Latents at later times of each episode.
        parts: What each thing adds to a latent.
    """
    moved = np.stack([distances_moved(first, later, part) for part in parts]) + MIN_MOVED
    wide = moved.astype(np.float64)
    return (wide / wide.sum(axis=1, keepdims=True)).mean(axis=0)


def distances_moved(
    first: Latents, later: tuple[Latents, ...], part: Float32[np.ndarray, "latent latent"]
) -> Float32[np.ndarray, " episodes"]:
    """Return how far one thing was from its first place, summed over the later times."""
    return np.sum([np.linalg.norm((each - first) @ part, axis=1) for each in later], axis=0)
