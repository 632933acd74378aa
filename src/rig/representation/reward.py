"""Rewards: how near the next image is to the goal. NumPy only.

===============  ==========================================================================
latent           ``-||w (z' - z_g)||_2``, w the weight of each latent (1 in the paper)
sqrt_distance    ``-sqrt(||w (z' - z_g)||_2 + 0.02)``
log_probability  ``-sum_i (z'_i - z_g,i)^2 / (2 sigma_i^2)``, sigma the encoder's, floored
sparse           0 if that Mahalanobis distance is under a threshold, else -1
pixel            ``-mean((x' - x_g)^2)``, pixels in [0, 1]
pixel_distance   minus the root of that mean
pixel_sparse     0 if that root is under a threshold, else -1
===============  ==========================================================================

Source: Nair et al. 2018, sections 4.3 and 5, and the released code's variants; sqrt_distance
is ours. With a discount and minus the distance as reward, correcting a small error does not
pay: a hand at its goal would have to leave it, go around the puck and push it by a centimetre.
Under the square root, the last centimetre counts for more and the detour for less.
"""

import numpy as np
from jaxtyping import Float32, UInt8


Rewards = Float32[np.ndarray, " B"]
Rows = Float32[np.ndarray, "B latent"]
Images = UInt8[np.ndarray, "B H W 3"]


def latent_reward(
    next_latent: Rows, goal: Rows, weight: Float32[np.ndarray, " latent"]
) -> Rewards:
    """Return minus the weighted Euclidean distance between next latent and goal."""
    return -np.linalg.norm(weight * (next_latent - goal), axis=1)


def sqrt_distance_reward(
    next_latent: Rows, goal: Rows, weight: Float32[np.ndarray, " latent"]
) -> Rewards:
    """Return minus the square root of the distance in :func:`latent_reward`."""
    return -np.sqrt(ROUNDING - latent_reward(next_latent, goal, weight))


ROUNDING = np.float32(0.02)
"""Added to the distance before the root, because its slope is unbounded at 0."""


def mahalanobis(next_latent: Rows, goal: Rows, log_std: Rows, min_std: float) -> Rewards:
    """Return the distance in units of the encoder's standard deviation.

    The standard deviation is at least ``min_std``.
    """
    std = np.maximum(np.exp(log_std), np.float32(min_std))
    return np.linalg.norm((next_latent - goal) / std, axis=1)


def log_probability_reward(
    next_latent: Rows, goal: Rows, log_std: Rows, min_std: float
) -> Rewards:
    """Return the goal's log probability under the next image's posterior, up to a constant."""
    return -0.5 * mahalanobis(next_latent, goal, log_std, min_std) ** 2


def sparse_reward(
    next_latent: Rows, goal: Rows, log_std: Rows, min_std: float, threshold: float
) -> Rewards:
    """Return 0 where the Mahalanobis distance to the goal is under the threshold, else -1."""
    is_near = mahalanobis(next_latent, goal, log_std, min_std) < threshold
    return np.where(is_near, np.float32(0), np.float32(-1))


def pixel_reward(next_image: Images, goal_image: Images) -> Rewards:
    """Return minus the mean squared error between two images with pixels in [0, 1]."""
    difference = (next_image.astype(np.float32) - goal_image) / 255
    return -np.mean(difference**2, axis=(1, 2, 3))


def pixel_distance_reward(next_image: Images, goal_image: Images) -> Rewards:
    """Return minus the root mean squared error, which does not grow with the image size."""
    return -np.sqrt(-pixel_reward(next_image, goal_image))


def pixel_sparse_reward(next_image: Images, goal_image: Images, threshold: float) -> Rewards:
    """Return 0 where the root mean squared error is under the threshold, else -1."""
    is_near = -pixel_distance_reward(next_image, goal_image) < threshold
    return np.where(is_near, np.float32(0), np.float32(-1))
