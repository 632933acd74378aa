"""What latents know: how well the true state can be read off them. For evaluation only.

Each true number is read off the latents of other images in two ways, and the better one counts:
as the mean over the nearest neighbours, which follows any bend but is as coarse as the images
are few; and by a quadratic in the latents (ridge regression), which is as fine as the latents
but bends once. So the probe asks whether the latents hold a quantity, not how.

Latent distance is compared with true distance by their correlation over random pairs, and with
time: the steps between two frames of one episode.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rig.types import Episodes


NUM_NEIGHBOURS = 3
NUM_PAIRS = 4000
RIDGE = 1e-6
"""Penalty on a quadratic's weights, per image: it only keeps the equations solvable."""


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
    """Predicts the second half of the states from the first half's.

    Dimensions count by their spread: each latent is used as it is, in its own scale.
    """
    half = len(latents) // 2
    known, queries, truth = latents[:half], latents[half:], states[half:]
    readings = (
        states[:half][nearest(queries, known)].mean(axis=1),
        quadratic(queries, known, states[:half]),
    )
    return ProbeResult(
        error=np.min([np.median(np.abs(r - truth), axis=0) for r in readings], axis=0),
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


def quadratic(
    queries: Float[np.ndarray, "Q latent"],
    known: Float[np.ndarray, "K latent"],
    states: Float[np.ndarray, "K state"],
) -> Float[np.ndarray, "Q state"]:
    """The states that a quadratic fitted to the known ones says of the queries."""
    features, mean = with_products(known), states.mean(axis=0)
    gram = features.T @ features + RIDGE * len(known) * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features.T @ (states - mean))
    return with_products(queries) @ weights + mean


def with_products(latents: Float[np.ndarray, "N latent"]) -> Float[np.ndarray, "N features"]:
    """One, every latent, and the product of every two."""
    size = latents.shape[1]
    first, second = np.triu_indices(size)
    latents = latents.astype(np.float64)
    ones = np.ones((len(latents), 1))
    return np.concatenate([ones, latents, latents[:, first] * latents[:, second]], axis=1)


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


def time_distance_correlation(
    episodes: Episodes, weight: Float[np.ndarray, " latent"], *, rng: np.random.Generator
) -> float:
    """Correlation of latent distance with time within episodes, in [-1, 1].

    Over random pairs of frames of one episode; 0 where all are equally far apart.
    """
    latents = episodes.encoding.latent * weight
    rows = pairs_of_frames(episodes.num_steps, rng=rng)
    in_latent = np.linalg.norm(latents[rows[0]] - latents[rows[1]], axis=1)
    in_time = np.abs(rows[0] - rows[1])
    if min(np.ptp(in_latent), np.ptp(in_time)) == 0:
        return 0.0
    return float(np.corrcoef(in_latent, in_time)[0, 1])


def pairs_of_frames(
    num_steps: Int[np.ndarray, " N"], *, rng: np.random.Generator
) -> Int[np.ndarray, "2 pairs"]:
    """Rows of pairs of frames, both of one episode."""
    first_rows = np.cumsum(num_steps + 1) - (num_steps + 1)
    episode = rng.integers(len(num_steps), size=NUM_PAIRS)
    return first_rows[episode] + rng.integers(num_steps[episode] + 1, size=(2, NUM_PAIRS))
