"""Keypoint encoder: latents that are the image positions of the colors that move.

Every keypoint has a color. All pixels compete in a softmax over their distance to that color,
and the latent is the mean position under it. So the latent moves as the object of that color
moves, in image coordinates, anywhere in the image.

The colors are clustered, not learned: pixels that differ from the mean image belong to what
moves, and their clusters are its parts. A reconstruction gradient would spend every keypoint on
the arm, which moves most pixels. Clusters take each color once, however few pixels it has. The
posterior's log standard deviation and the decoder are learned as in any VAE.

A goal image may not show an object that every training image shows. Its keypoint is then set to
its mean position, in the camera image as in the goal, so that it adds no distance. A color that
was missing in some training images is not replaced: a jump to the mean position would look like
a motion that never happened.

Sources: the spatial softmax of Finn et al. 2016 (deep spatial autoencoders), section V; k-means
with k-means++ initialisation, Arthur and Vassilvitskii 2007. Differs: a keypoint is a color and
not a learned filter, and the positions are the means of a VAE's posterior.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, UInt8

from rig.nn.layers import MeanAndLogStd
from rig.representation.spatial_softmax import initial_log_std, mean_positions


SHARPNESS = 30.0
"""Inverse temperature of the softmax, per squared distance of RGB in [0, 1].

A pixel at distance 0.18 weighs 1/e of a pixel of the exact color. Many pixels then share the
mean, which moves smoothly; the mean of a few pixels would jump from pixel to pixel."""

COUNT_SHARPNESS = 100.0
"""The same where pixels of a color are counted: a pixel at distance 0.1 counts for 1/e."""

MIN_PIXELS = 0.1
"""Number of pixels of a color at which its visibility is 0.5. A visible puck of PushTwo covers
at least 7 pixels of a goal image; where it is absent, similar pixels add up to 0.04 at most."""
STEEPNESS = 4.0
"""Exponent of the number of pixels in the visibility: one whole pixel gives nearly 1."""

Colors = Float32[np.ndarray, "colors 3"]
Pixels = Float32[np.ndarray, "pixels 3"]


class KeypointEncoder(eqx.Module):
    """Encoder of an image to the x and y of each color."""

    colors: Float[Array, "keypoints 3"]
    """Color of each keypoint, RGB in [0, 1]; not learned."""
    mean_position: Float[Array, " latent"]
    """Mean of the latents over the images that the encoder was calibrated on; not learned."""
    always_visible: Float[Array, " latent"]
    """1 for a keypoint whose color all those images had, else 0; not learned."""
    log_std: Float[Array, " latent"]

    def __init__(self, colors: Float[Array | np.ndarray, "keypoints 3"]) -> None:
        self.colors = jnp.asarray(colors)
        self.mean_position = jnp.zeros(2 * len(colors))
        self.always_visible = jnp.zeros(2 * len(colors))
        self.log_std = initial_log_std(len(colors))

    def __call__(self, image: Float[Array, "H W 3"]) -> MeanAndLogStd:
        """Return the posterior's mean and log standard deviation."""
        position, visibility = self.locate(image)
        mean_position, always_visible = jax.lax.stop_gradient(
            (self.mean_position, self.always_visible)
        )
        is_missing = always_visible * (1 - visibility)
        return position + is_missing * (mean_position - position), self.log_std

    def locate(
        self, image: Float[Array, "H W 3"]
    ) -> tuple[Float[Array, " latent"], Float[Array, " latent"]]:
        """Return the position of each color, and its visibility in [0, 1].

        Visibility is near 1 if a whole pixel has the color, and near 0 if none comes close.
        """
        distances = self.color_distances(image)
        log_num_pixels = jax.nn.logsumexp(-COUNT_SHARPNESS * distances, axis=1)
        visibility = jax.nn.sigmoid(STEEPNESS * (log_num_pixels - np.log(MIN_PIXELS)))
        position = mean_positions(jax.nn.softmax(-SHARPNESS * distances, axis=1))
        return position, jnp.repeat(visibility, 2)

    def attention(self, image: Float[Array, "H W 3"]) -> Float[Array, "keypoints H W"]:
        """Return the weight of each pixel in each position, for people to look at."""
        distances = self.color_distances(image)
        return jax.nn.softmax(-SHARPNESS * distances, axis=1).reshape(-1, *image.shape[:2])

    def color_distances(self, image: Float[Array, "H W 3"]) -> Float[Array, "keypoints pixels"]:
        """Return the squared distance of each pixel's color from each keypoint's."""
        colors = jax.lax.stop_gradient(self.colors)
        pixels = image.reshape(-1, 3).T
        # |c - x|^2 expanded: a matrix product instead of an array [keypoints, pixels, 3].
        squares = jnp.sum(colors**2, axis=1)[:, None] + jnp.sum(pixels**2, axis=0)
        return squares - 2 * colors @ pixels


def calibrate(
    encoder: KeypointEncoder, images: UInt8[np.ndarray, "N H W 3"]
) -> KeypointEncoder:
    """Set the encoder's mean positions, and which of its colors are always visible."""
    some = jnp.asarray(images[:: -(-len(images) // NUM_IMAGES)])
    positions, visibility = jax.lax.map(lambda image: encoder.locate(image / 255), some)
    known = (positions.mean(axis=0), jnp.round(visibility.min(axis=0)))
    return eqx.tree_at(
        lambda encoder: (encoder.mean_position, encoder.always_visible), encoder, known
    )


def find_colors(
    images: UInt8[np.ndarray, "N H W 3"], num: int, *, rng: np.random.Generator
) -> Colors:
    """Return the colors of what moves: clusters of the pixels that differ from the mean image.

    A pixel is drawn in proportion to its squared difference, so a small object of high contrast
    weighs as much as a large one of low contrast. Images are not downscaled: that would mix
    colors along every edge, and no object has such a color.
    """
    some = images[rng.permutation(len(images))[:NUM_IMAGES]]
    colors = (some / np.float32(255)).reshape(len(some), -1, 3)
    changes = ((colors - colors.mean(axis=0)) ** 2).sum(axis=-1).reshape(-1) + MIN_CHANGE
    return cluster(colors.reshape(-1, 3), changes, num, rng=rng)


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


NUM_IMAGES = 1000
NUM_PIXELS = 20_000
"""Number of pixels to cluster, drawn from at most ``NUM_IMAGES`` images."""
NUM_TRIES = 5
"""Number of random starts; the tightest clustering is used."""
NUM_ROUNDS = 20
MIN_CHANGE = 1e-9
"""Keeps weights positive where nothing moves, or where colors are fewer than keypoints."""
