"""Images under another light and with other noise, to learn what these two do.

What moved is kept, and the rest is the background. On it come the gain and the shadows of
another image, and fresh noise of the camera's own size. So two such images of one scene differ
by light and noise alone. A perfect camera gets a little of each as well: one day the robot will
stand under another lamp.
"""

import numpy as np
from jaxtyping import Float32, UInt8

from rig.representation.illumination import DARK


MIN_NOISE = 3.0
"""Least standard deviation of the noise [levels]."""
MIN_GAIN = 0.1
"""The gain varies by at least this share."""
MIN_TINT = 0.02
"""The gain of a single channel varies by at least this share."""
MIN_SHADOW = 0.3
"""Share of light that the darkest added shadow takes."""
SHADOW_SIGMA = 0.15
"""Size of an added shadow, as a fraction of the image's side."""


def relight(
    scene: Float32[np.ndarray, "N H W 3"],
    light: Float32[np.ndarray, "N H W 3"],
    noise: float,
    *,
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "N H W 3"]:
    """Return each scene under the light of another image and with fresh noise.

    Args:
        scene: Logarithms of levels, ``DARK`` added, under the light of the background.
        light: Gain and shadows of each image [log ratio].
        noise: Standard deviation of the camera's noise [levels].
        rng: Draws everything.
    """
    num, side = scene.shape[:2]
    down, right = np.mgrid[0:side, 0:side] / side
    at = rng.uniform(0, 1, (2, num, 1, 1))
    blob = np.exp(-((down - at[0]) ** 2 + (right - at[1]) ** 2) / (2 * SHADOW_SIGMA**2))
    shadow = np.log(1 - rng.uniform(0, MIN_SHADOW, (num, 1, 1)) * blob)[..., None]
    gain = rng.uniform(1 - MIN_GAIN, 1 + MIN_GAIN, (num, 1, 1, 1))
    tint = rng.uniform(1 - MIN_TINT, 1 + MIN_TINT, (num, 1, 1, 3))
    total = (scene + light[rng.permutation(num)] + shadow + np.log(gain * tint)).astype(
        np.float32
    )
    levels = np.exp(total) - DARK
    levels += max(MIN_NOISE, noise) * rng.standard_normal(total.shape, dtype=np.float32)
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
