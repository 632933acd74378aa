"""Clusters of the colors of pixels: k-means, started several times.

Clusters take each color once, however few pixels it has. Learned colors would not: a
reconstruction gradient would spend every color on the arm, which moves most pixels.

Source: k-means with k-means++ initialisation, Arthur and Vassilvitskii 2007.
"""

import warnings

import numpy as np
from jaxtyping import Float32


NUM_PIXELS = 20_000
"""Number of pixels to cluster."""
NUM_TRIES = 24
"""Number of random starts; the tightest clustering is used. One start in four finds it."""
NUM_ROUNDS = 20
"""Rounds of k-means after each start."""

Colors = Float32[np.ndarray, "colors 3"]
Pixels = Float32[np.ndarray, "pixels 3"]


def cluster(
    colors: Pixels,
    weight: Float32[np.ndarray, " pixels"],
    num: int,
    *,
    rng: np.random.Generator,
) -> Colors:
    """Return means of ``num`` clusters of pixels, which are drawn in proportion to a weight.

    Where there are fewer colors than that, some of the means are the same.

    Args:
        colors: RGB; 1 is white under the light of the background.
        weight: Of each pixel.
        num: Number of clusters.
        rng: Draws the pixels and the starts.
    """
    cumulative = np.cumsum(weight, dtype=np.float64)
    drawn = np.searchsorted(cumulative, rng.random(NUM_PIXELS) * cumulative[-1])
    pixels = colors[drawn.clip(max=weight.size - 1)]
    tries = [kmeans(pixels, num, rng=rng) for _ in range(NUM_TRIES)]
    means, _ = min(tries, key=lambda each: each[1])
    return means


def kmeans(pixels: Pixels, num: int, *, rng: np.random.Generator) -> tuple[Colors, float]:
    """Return the means of ``num`` clusters of pixels, and the sum of squared distances."""
    from scipy.cluster.vq import kmeans2  # loads slowly, and a trained policy never needs it

    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # Clusters without pixels, and starts on the same color: fewer colors than clusters.
        warnings.filterwarnings("ignore", "One of the clusters is empty")
        means, nearest = kmeans2(pixels, num, iter=NUM_ROUNDS, minit="++", rng=rng)
    return means, float(np.sum((pixels - means[nearest]) ** 2))
