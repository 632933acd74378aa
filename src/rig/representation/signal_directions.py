"""Directions of signal: what images differ in beyond what light and noise explain.

Whitening by variance gives a direction that light changes the weight of one that an object
changes. Here, latents are generalised eigenvectors of the covariance of what is seen against
the covariance of what other light and other noise do to it: the directions of the largest ratio
of signal to noise. A latent counts in a distance by its ratio, and by the share of its variance
that the latents before it do not predict: a motion that shows in many directions counts once.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32


FLOOR = 5e-5
"""Variance that counts as noise in every direction [(half image sides) squared]."""
MIN_RATIO = 15.0
"""Ratio of signal to noise (variances) at which a latent's variance counts half."""
STEEPNESS = 4
"""Exponent of that ratio: how sharply a latent of less counts for less."""
MIN_VARIANCE = 1e-9
"""Keeps shares finite where nothing moves."""
RIDGE = 0.02
"""Ridge of the regression of a latent on those before it, for latents of unit variance."""

Features = Float32[np.ndarray, "N features"]


class SignalDirections(NamedTuple):
    """An affine map from features to latents.

    A latent's standard deviation is what it counts for in a distance, from 0 to 1.
    """

    mean: Float[np.ndarray, " features"]
    matrix: Float[np.ndarray, "features latent"]


def find_directions(
    features: Features,
    noise: Float[np.ndarray, "features features"],
    num: int,
) -> SignalDirections:
    """Return the ``num`` directions of most signal, most first.

    Args:
        features: Of each image.
        noise: Covariance of what light and noise do to the features of one scene.
        num: Number of latents.
    """
    from scipy.linalg import eigh  # loads slowly, and a trained policy never needs it

    wide = features.astype(np.float64)
    mean = wide.mean(axis=0)
    signal = (wide - mean).T @ (wide - mean) / len(wide)
    ratio, directions = eigh(signal, noise + FLOOR * np.eye(len(noise)))
    best = np.argsort(ratio)[::-1][:num]
    ratio = np.maximum(ratio[best], 1e-6)
    matrix = directions[:, best] / np.sqrt(ratio)
    new = unpredicted((wide - mean) @ matrix)
    weight = np.sqrt(new / (1 + (MIN_RATIO / ratio) ** STEEPNESS))
    return SignalDirections(mean, matrix * weight)


def unpredicted(latents: Float[np.ndarray, "N latent"]) -> Float[np.ndarray, " latent"]:
    """Return the share of each latent's variance that those before it do not predict.

    A quadratic regression, fitted to every other row and judged on the rest.
    """
    known, rest = slice(0, None, 2), slice(1, None, 2)
    new = [1.0]
    for i in range(1, latents.shape[1]):
        terms = quadratic_terms(latents[:, :i])
        averaged = terms[known].T / len(terms[known])
        gram = averaged @ terms[known] + RIDGE * np.eye(terms.shape[1])
        predicted = terms[rest] @ np.linalg.solve(gram, averaged @ latents[known, i])
        error = np.mean((latents[rest, i] - predicted) ** 2)
        new.append(error / max(np.mean(latents[rest, i] ** 2), error, MIN_VARIANCE))
    return np.array(new)


def quadratic_terms(
    latents: Float[np.ndarray, "N latent"],
) -> Float[np.ndarray, "N terms"]:
    """Return 1, the latents and their products."""
    i, j = np.triu_indices(latents.shape[1])
    return np.concatenate(
        [np.ones((len(latents), 1)), latents, latents[:, i] * latents[:, j]], axis=1
    )
