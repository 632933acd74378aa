"""The reward that a goal implies: how near the next image is to it. NumPy only.

===============  ==========================================================================
latent           ``-||w (z' - z_g)||_2``, w the weight of each latent (1 in the paper)
root             ``-sqrt(||w (z' - z_g)||_2 + 0.02)``
log_probability  ``-sum_i (z'_i - z_g,i)^2 / (2 sigma_i^2)``, sigma the encoder's, floored
sparse           0 if that Mahalanobis distance is under a threshold, else -1
pixel            ``-mean((x' - x_g)^2)``, pixels in [0, 1]
pixel_distance   minus the root of that mean
pixel_sparse     0 if that root is under a threshold, else -1
===============  ==========================================================================

Source: Nair et al. 2018, sections 4.3 and 5, and the released code's variants; root is ours.
Under a discount, minus the distance makes it not worth a detour to put a small error right: a
hand at its goal would have to leave it, go round the puck and push it by a centimetre. Under
the root, the last centimetre counts for more and the detour for less.
"""

import numpy as np
from jaxtyping import Float32, UInt8


Rewards = Float32[np.ndarray, " B"]
Rows = Float32[np.ndarray, "B latent"]
Images = UInt8[np.ndarray, "B H W 3"]


def latent_reward(
    next_latent: Rows, goal: Rows, weight: Float32[np.ndarray, " latent"]
) -> Rewards:
    """Minus the weighted Euclidean distance between next latent and goal."""
    return -np.linalg.norm(weight * (next_latent - goal), axis=1)


def sqrt_distance_reward(
    next_latent: Rows, goal: Rows, weight: Float32[np.ndarray, " latent"]
) -> Rewards:
    """Minus the square root of the distance that :func:`latent_reward` is minus of."""
    return -np.sqrt(ROUNDING - latent_reward(next_latent, goal, weight))


ROUNDING = np.float32(0.02)
"""Added to the distance under the root, whose slope would else have no bound at the goal."""


def mahalanobis(next_latent: Rows, goal: Rows, log_std: Rows, min_std: float) -> Rewards:
    """Distance in units of the encoder's own standard deviation, which is floored."""
    std = np.maximum(np.exp(log_std), np.float32(min_std))
    return np.linalg.norm((next_latent - goal) / std, axis=1)


def log_probability_reward(
    next_latent: Rows, goal: Rows, log_std: Rows, min_std: float
) -> Rewards:
    """The log probability of the goal under the next image's posterior, up to a constant."""
    return -0.5 * mahalanobis(next_latent, goal, log_std, min_std) ** 2


def sparse_reward(
    next_latent: Rows, goal: Rows, log_std: Rows, min_std: float, threshold: float
) -> Rewards:
    """0 within the threshold's Mahalanobis distance of the goal, -1 elsewhere."""
    is_near = mahalanobis(next_latent, goal, log_std, min_std) < threshold
    return np.where(is_near, np.float32(0), np.float32(-1))


def pixel_reward(next_image: Images, goal_image: Images) -> Rewards:
    """Minus the mean squared error between two images with pixels in [0, 1]."""
    difference = (next_image.astype(np.float32) - goal_image) / 255
    return -np.mean(difference**2, axis=(1, 2, 3))


def pixel_distance_reward(next_image: Images, goal_image: Images) -> Rewards:
    """Minus the root of that error: the Euclidean distance, whatever the number of pixels."""
    return -np.sqrt(-pixel_reward(next_image, goal_image))


def pixel_sparse_reward(next_image: Images, goal_image: Images, threshold: float) -> Rewards:
    """0 where that root is under the threshold, -1 elsewhere."""
    is_near = -pixel_distance_reward(next_image, goal_image) < threshold
    return np.where(is_near, np.float32(0), np.float32(-1))
