"""Clusters of the colors of pixels: k-means, started several times.

Clusters take each color once, however few pixels it has. Learned colors would not: a
reconstruction gradient would spend every color on the arm, which moves most pixels.

Source: k-means with k-means++ initialisation, Arthur and Vassilvitskii 2007.
"""

import numpy as np
from jaxtyping import Float32


Colors = Float32[np.ndarray, "colors 3"]
Pixels = Float32[np.ndarray, "pixels 3"]


def cluster(
    colors: Pixels,
    weight: Float32[np.ndarray, " pixels"],
    num: int,
    *,
    rng: np.random.Generator,
) -> Colors:
    """Return means of ``num`` clusters of pixels, which are drawn in proportion to a weight."""
    cumulative = np.cumsum(weight, dtype=np.float64)
    drawn = np.searchsorted(cumulative, rng.random(NUM_PIXELS) * cumulative[-1])
    pixels = colors[drawn.clip(max=weight.size - 1)]
    tries = [kmeans(pixels, num, rng=rng) for _ in range(NUM_TRIES)]
    return min(tries, key=lambda means: squared_distances(pixels, means).min(axis=1).sum())


def kmeans(pixels: Pixels, num: int, *, rng: np.random.Generator) -> Colors:
    """Return the means of ``num`` clusters of pixels."""
    means = kmeans_plus_plus(pixels, num, rng=rng)
    for _ in range(NUM_ROUNDS):
        nearest = squared_distances(pixels, means).argmin(axis=1)
        for index in np.unique(nearest):
            means[index] = pixels[nearest == index].mean(axis=0)
    return means


def kmeans_plus_plus(pixels: Pixels, num: int, *, rng: np.random.Generator) -> Colors:
    """Return pixels to start k-means from, each likely to be far from the ones before it."""
    means = pixels[:1]
    while len(means) < num:
        weight = squared_distances(pixels, means).min(axis=1).astype(np.float64) + MIN_CHANGE
        chosen = rng.choice(len(pixels), p=weight / weight.sum())
        means = np.concatenate([means, pixels[chosen : chosen + 1]])
    return means


def squared_distances(pixels: Pixels, means: Colors) -> Float32[np.ndarray, "pixels colors"]:
    """Return the squared distance of every pixel from every mean."""
    return ((pixels[:, None] - means[None]) ** 2).sum(axis=-1)


NUM_PIXELS = 20_000
"""Number of pixels to cluster."""
NUM_TRIES = 5
"""Number of random starts; the tightest clustering is used."""
NUM_ROUNDS = 20
MIN_CHANGE = 1e-9
"""Keeps weights positive where all pixels have the same color."""
