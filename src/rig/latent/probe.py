"""What latents know: how well the true state can be read off them. For evaluation only.

Each true number is predicted as the mean over the nearest neighbours among other images'
latents, so the probe asks whether the latents hold a quantity, not whether they are linear in
it. Latent distance is compared with true distance by their correlation over random pairs.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


NUM_NEIGHBOURS = 3
NUM_PAIRS = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """How well latents hold and measure the scene."""

    error: Float[np.ndarray, " state"]
    """Median absolute error of each true number, in that number's unit."""
    spread: Float[np.ndarray, " state"]
    """Median absolute error of always saying the median: what knowing nothing scores."""


def probe(
    latents: Float[np.ndarray, "N latent"], states: Float[np.ndarray, "N state"]
) -> ProbeResult:
    """Predicts the second half of the states from the first half's nearest neighbours.

    Dimensions count by their spread: each latent is used as it is, in its own scale.
    """
    half = len(latents) // 2
    neighbours = nearest(latents[half:], latents[:half])
    predicted = states[:half][neighbours].mean(axis=1)
    truth = states[half:]
    return ProbeResult(
        error=np.median(np.abs(predicted - truth), axis=0),
        spread=np.median(np.abs(np.median(states[:half], axis=0) - truth), axis=0),
    )


def nearest(
    queries: Float[np.ndarray, "Q latent"], known: Float[np.ndarray, "K latent"]
) -> np.ndarray:
    """Row numbers of each query's nearest known latents ``[Q, NUM_NEIGHBOURS]``."""
    squared = (
        (queries**2).sum(axis=1)[:, None] - 2 * queries @ known.T + (known**2).sum(axis=1)[None]
    )
    return np.argpartition(squared, NUM_NEIGHBOURS, axis=1)[:, :NUM_NEIGHBOURS]


def distance_correlation(
    latents: Float[np.ndarray, "N latent"],
    states: Float[np.ndarray, "N state"],
    *,
    rng: np.random.Generator,
) -> float:
    """Correlation of latent distance with true distance over random pairs, in [-1, 1]."""
    first, second = rng.integers(len(latents), size=(2, NUM_PAIRS))
    in_latent = np.linalg.norm(latents[first] - latents[second], axis=1)
    in_truth = np.linalg.norm(states[first] - states[second], axis=1)
    return float(np.corrcoef(in_latent, in_truth)[0, 1])
