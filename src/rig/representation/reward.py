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

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from rig.config import RewardConfig
from rig.types import Parts


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


@dataclass(frozen=True, kw_only=True, slots=True)
class LatentRows:
    """What a reward that compares latents is given."""

    next_latent: Rows
    next_log_std: Rows
    goal: Rows
    weight: Float32[np.ndarray, " latent"]

    @property
    def weighted(self) -> tuple[Rows, Rows]:
        """Next latents and goals, with 0 where a latent has no weight."""
        counts = self.weight > 0
        return self.next_latent * counts, self.goal * counts


LATENT_REWARDS: dict[str, Callable[[LatentRows, RewardConfig], Rewards]] = {
    "latent": lambda rows, _: latent_reward(rows.next_latent, rows.goal, rows.weight),
    "sqrt_distance": lambda rows, _: sqrt_distance_reward(
        rows.next_latent, rows.goal, rows.weight
    ),
    "log_probability": lambda rows, config: log_probability_reward(
        rows.next_latent, rows.goal, rows.next_log_std, config.min_std
    ),
    "sparse": lambda rows, config: sparse_reward(
        *rows.weighted, rows.next_log_std, config.min_std, config.sparse_threshold
    ),
}
"""Rewards that compare latents, by the name in ``reward.kind``. To add one, add its line."""

BY_THING = ("latent", "sqrt_distance")
"""Rewards that can be given for each thing by itself."""


def reward_by_thing(rows: LatentRows, config: RewardConfig, parts: Parts) -> Rewards:
    """Return the mean of the rewards for each thing by itself.

    Under the distance of everything, an object that is far from its place hides how near the
    hand is: the slope of the whole by a short distance is small.

    Args:
        rows: What is compared.
        config: Which reward.
        parts: What each thing adds to a latent.
    """
    each = [
        LATENT_REWARDS[config.kind](
            replace(rows, next_latent=rows.next_latent @ part, goal=rows.goal @ part), config
        )
        for part in parts
    ]
    return np.asarray(np.mean(each, axis=0), np.float32)


IMAGE_REWARDS: dict[str, Callable[[Images, Images, RewardConfig], Rewards]] = {
    "pixel": lambda image, goal, _: pixel_reward(image, goal),
    "pixel_distance": lambda image, goal, _: pixel_distance_reward(image, goal),
    "pixel_sparse": lambda image, goal, config: pixel_sparse_reward(
        image, goal, config.pixel_threshold
    ),
}
"""Rewards that compare the next image with the goal's. To add one, add its line."""
