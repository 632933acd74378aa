"""Noise found from the order of images: small steps, and the shaking of a camera.

What comes with an image and is gone in the next one, as by the vibration of a camera, enters
one step and leaves in the next. So the covariance of two steps that follow each other is minus
that of what flickers (Roll 1984, of prices). What moves on adds nothing to it, or takes away.
"""

import numpy as np
from jaxtyping import Float, Float32


STEP_SHARE = 0.25
"""Share of what one step changes that counts as noise."""
MAX_STEP = 0.5
"""Variance of half a step over that of all images, above which these have no order in time.
Without order it is 1; random practice of our tasks has 0.1 to 0.2."""
MIN_FLICKER = 0.8
"""Share of what one step changes that is gone in the next image, above which the camera shakes.
Practice of our tasks has at most 0.5, and 0.9 with the vibration of ``webcam``."""

Rows = Float32[np.ndarray, "N numbers"]
Covariance = Float[np.ndarray, "numbers numbers"]


def time_noise(features: Rows) -> Covariance:
    """Return the covariance of what is noise in the order of images; 0 if they have none.

    What differs from one image to the next as much as between any two is noise: the edge of an
    object on the grid of pixels, for example. Jumps between episodes are few. If nearly all of
    it is gone in the next image, the camera shakes, and all of that is noise. So is a thing
    that changes back and forth at each step.

    Args:
        features: Of images that follow each other.
    """
    covariance, flicker = steps_and_flicker(features)
    if np.trace(covariance) >= MAX_STEP * np.var(features, axis=0).sum():
        return np.zeros_like(covariance)
    if np.trace(flicker) <= MIN_FLICKER * np.trace(covariance):
        return STEP_SHARE * covariance
    values, vectors = np.linalg.eigh(flicker)
    return STEP_SHARE * covariance + (vectors * np.maximum(values, 0)) @ vectors.T


def steps_and_flicker(features: Rows) -> tuple[Covariance, Covariance]:
    """Return the covariance of half a step, and that of what is gone in the next image.

    Args:
        features: Of images that follow each other.
    """
    steps = np.diff(features.astype(np.float64), axis=0)
    following = steps[1:].T @ steps[:-1] / max(len(steps) - 1, 1)
    return steps.T @ steps / max(len(steps), 1) / 2, -(following + following.T) / 2
