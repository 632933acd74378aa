"""Probe: predict the true state from latents, to measure what they hold. Evaluation only.

Each state variable is predicted from latents in two ways, and the better one counts: the mean
over the nearest neighbours, which fits any curve but needs many images; and a quadratic in the
latents (ridge regression), which is precise but fits only a simple curve. So the probe measures
whether the latents hold a variable, not in which form.

Latent distance is also correlated with true distance over random pairs, and with time, the
number of steps between two frames of one episode.

Of each latent, its KL and its weight are measured too.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rig.representation.representation import Representation
from rig.representation.vae import kl_nats_of
from rig.types import Encoding, Episodes


NUM_NEIGHBOURS = 3
NUM_PAIRS = 4000
RIDGE = 1e-6
"""Penalty on the quadratic's weights, per image; it only keeps the equations solvable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeResult:
    """Errors of the predicted state variables."""

    error: Float[np.ndarray, " state"]
    """Median absolute error of each state variable, in its own unit."""
    baseline_error: Float[np.ndarray, " state"]
    """Median absolute error of always predicting the median, without any latent."""


def probe(
    latents: Float[np.ndarray, "N latent"], states: Float[np.ndarray, "N state"]
) -> ProbeResult:
    """Predict the second half of the states from the first half of the latents and states.

    Latents are not normalised, so a neighbour is near by the distance that the reward uses.
    """
    half = len(latents) // 2
    known, queries, truth = latents[:half], latents[half:], states[half:]
    predictions = (
        states[:half][nearest(queries, known)].mean(axis=1),
        fit_quadratic(queries, known, states[:half]),
    )
    median = np.median(states[:half], axis=0)
    return ProbeResult(
        error=np.min([np.median(np.abs(p - truth), axis=0) for p in predictions], axis=0),
        baseline_error=np.median(np.abs(median - truth), axis=0),
    )


def nearest(
    queries: Float[np.ndarray, "Q latent"], known: Float[np.ndarray, "K latent"]
) -> np.ndarray:
    """Return the rows of each query's nearest known latents ``[Q, NUM_NEIGHBOURS]``."""
    squared = (
        (queries**2).sum(axis=1)[:, None] - 2 * queries @ known.T + (known**2).sum(axis=1)[None]
    )
    return np.argpartition(squared, NUM_NEIGHBOURS, axis=1)[:, :NUM_NEIGHBOURS]


def fit_quadratic(
    queries: Float[np.ndarray, "Q latent"],
    known: Float[np.ndarray, "K latent"],
    states: Float[np.ndarray, "K state"],
    ridge: float = RIDGE,
) -> Float[np.ndarray, "Q state"]:
    """Fit a quadratic to the known states and return its predictions for the queries."""
    features, mean = quadratic_features(known), states.mean(axis=0)
    gram = features.T @ features + ridge * len(known) * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features.T @ (states - mean))
    return quadratic_features(queries) @ weights + mean


def quadratic_features(
    latents: Float[np.ndarray, "N latent"],
) -> Float[np.ndarray, "N features"]:
    """Return 1, every latent, and the product of every two latents."""
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
    """Return the correlation of latent and true distance over random pairs, in [-1, 1].

    It is 0 where all pairs have the same distance.
    """
    first, second = rng.integers(len(latents), size=(2, NUM_PAIRS))
    in_latent = np.linalg.norm(latents[first] - latents[second], axis=1)
    in_truth = np.linalg.norm(states[first] - states[second], axis=1)
    if min(np.ptp(in_latent), np.ptp(in_truth)) == 0:
        return 0.0
    return float(np.corrcoef(in_latent, in_truth)[0, 1])


def time_distance_correlation(
    episodes: Episodes, weight: Float[np.ndarray, " latent"], *, rng: np.random.Generator
) -> float:
    """Return the correlation of latent distance with time, in [-1, 1].

    It is taken over random pairs of frames of one episode, and is 0 where all pairs have the
    same latent distance or the same time between them.
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
    """Return the rows of random pairs of frames, both of one episode."""
    first_rows = np.cumsum(num_steps + 1) - (num_steps + 1)
    episode = rng.integers(len(num_steps), size=NUM_PAIRS)
    return first_rows[episode] + rng.integers(num_steps[episode] + 1, size=(2, NUM_PAIRS))


def kl_rows(encoding: Encoding) -> dict[str, float]:
    """Return the KL of each latent, averaged over images [nats]."""
    per_latent = kl_nats_of(encoding.latent, encoding.log_std).mean(axis=0)
    return {f"vae/kl_{index}_nats": float(kl) for index, kl in enumerate(per_latent)}


def weight_rows(representation: Representation) -> dict[str, float]:
    """Return the weight of each latent in distances."""
    weight = () if representation.weight is None else representation.weight
    return {f"vae/weight_{index}": float(value) for index, value in enumerate(weight)}
