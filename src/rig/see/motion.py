"""What moves in images: a still image, and how each image differs from it.

Auto exposure changes a whole image, which is no motion: each image's channels are brought to
the still image's level first, by the median of their ratio.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8


MOST_IMAGES = 400
"""Images that are looked at, evenly spaced."""
DARK_LEVELS = 6.0
"""Added to grey levels before they are divided, so that dark pixels' noise has no weight."""
LEAST_NOISE_LEVELS = 1.5

Images = UInt8[np.ndarray, "N H W 3"]
Levels = Float32[np.ndarray, "N H W 3"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """What moves in some images."""

    images: Images
    still: UInt8[np.ndarray, "H W 3"]
    """The median of each pixel."""
    difference: Levels
    """Of each image from the still one, grey levels, under the still one's light."""
    noise_levels: float
    """Standard deviation of a pixel that stands still."""
    strength: Float32[np.ndarray, "N H W"]
    """How much each pixel of each image differs, grey levels."""

    @property
    def light_swing(self) -> float:
        """Range of the images' brightness, as a share, from its 5th to its 95th percentile."""
        ratio = (self.images + DARK_LEVELS) / (self.still + DARK_LEVELS)
        low, high = np.percentile(np.median(ratio, axis=(1, 2, 3)), [5, 95])
        return float(high - low)


def find_motion(images: Images) -> Motion:
    """Return what moves in images, of which at most ``MOST_IMAGES`` are looked at."""
    some = images[evenly(len(images), MOST_IMAGES)]
    still = np.median(some, axis=0)
    difference = differences(some, still)
    noise = 1.4826 * float(np.median(np.abs(difference)))
    return Motion(
        images=some,
        still=still.round().astype(np.uint8),
        difference=difference,
        strength=np.sqrt((difference**2).mean(axis=3)),
        noise_levels=max(noise, LEAST_NOISE_LEVELS),
    )


def differences(images: np.ndarray, still: np.ndarray) -> Levels:
    """Return the differences of images from the still one, under its light."""
    bright = images.astype(np.float32) + np.float32(DARK_LEVELS)
    reference = (still + DARK_LEVELS).astype(np.float32)
    gain = np.median(bright / reference, axis=(1, 2), keepdims=True)
    return np.asarray(bright / gain - reference, np.float32)


def evenly(total: int, num: int) -> np.ndarray:
    """Return ``num`` rows of ``total``, evenly spaced; all if there are fewer."""
    return np.unique(np.linspace(0, total - 1, min(total, num)).round().astype(int))
