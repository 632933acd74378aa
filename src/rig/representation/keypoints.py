"""Latents that are places: an encoder that says where things of each colour are in the image.

Every keypoint has a colour. All pixels compete in a softmax for how near they come to it, and
the latent is the mean place of the winners, so it moves as the thing of that colour moves, in
the image's own frame, wherever the thing goes.

The colours are found in the images, not learned: pixels that differ from the mean image are
those of what moves, and clusters of them are its parts. A gradient of the reconstruction would
spend every keypoint on the arm, which moves most pixels; clusters take each colour once,
however few pixels it has. The posterior's spread and the decoder are learned as in any VAE.

What practice always has in view and a goal picture does not show is not there at all: its
keypoint is then at its usual place, in the camera's image as in the goal's, so that it seems to
be where it should be. A colour that comes and goes with the arm is followed as it is: to jump
to a usual place would be a motion that nothing made.

Sources: the spatial softmax of Finn et al. 2016 (deep spatial autoencoders), section V; k-means
with k-means++ starts, Arthur and Vassilvitskii 2007. Differs: a keypoint is a colour and not a
learned filter, and the places are the means of a VAE's posterior.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, UInt8

from rig.nn.layers import Spread
from rig.representation.spatial_softmax import first_log_std, mean_positions


SHARPNESS = 30.0
"""Of the softmax, per squared distance of colours in [0, 1]: at 0.18 of the range from its
colour, a pixel counts for 1/e of one that has it. So a place is the mean of many pixels, and
moves evenly where the place of a few would jump from pixel to pixel."""

SAME_COLOUR = 100.0
"""The same where pixels of a colour are counted: a tenth of the range is another colour."""

LEAST_PIXELS = 0.1
"""Pixels of a colour at which it is half in view. Of a puck of PushTwo at least 7 are in a goal
picture where it is there, and what comes nearest counts for 0.04 at most where it is not."""
STEEPNESS = 4.0
"""With what power of that number doubt falls: a whole pixel is beyond doubt."""

Colours = Float32[np.ndarray, "colours 3"]
Pixels = Float32[np.ndarray, "pixels 3"]


class KeypointEncoder(eqx.Module):
    """An image to the places of things in it: x and y of each colour, side by side."""

    colours: Float[Array, "keypoints 3"]
    """What each keypoint follows, RGB in [0, 1]; not learned."""
    usual: Float[Array, " latent"]
    """Where each keypoint was on average in the images that it was found in."""
    is_constant: Float[Array, " latent"]
    """1 for a keypoint whose colour all those images had, else 0; neither is learned."""
    log_std: Float[Array, " latent"]

    def __init__(self, colours: Float[Array | np.ndarray, "keypoints 3"]) -> None:
        self.colours = jnp.asarray(colours)
        self.usual = jnp.zeros(2 * len(colours))
        self.is_constant = jnp.zeros(2 * len(colours))
        self.log_std = first_log_std(len(colours))

    def __call__(self, image: Float[Array, "H W 3"]) -> Spread:
        """The posterior's mean and log standard deviation."""
        place, in_view = self.look(image)
        usual, is_constant = jax.lax.stop_gradient((self.usual, self.is_constant))
        is_gone = is_constant * (1 - in_view)
        return place + is_gone * (usual - place), self.log_std

    def look(
        self, image: Float[Array, "H W 3"]
    ) -> tuple[Float[Array, " latent"], Float[Array, " latent"]]:
        """The place of what comes nearest to each colour, and how surely it has that colour.

        Sure is 1, for a few pixels that have it; 0 is for none.
        """
        apart = self.apart(image)
        log_num_pixels = jax.nn.logsumexp(-SAME_COLOUR * apart, axis=1)
        in_view = jax.nn.sigmoid(STEEPNESS * (log_num_pixels - np.log(LEAST_PIXELS)))
        place = mean_positions(jax.nn.softmax(-SHARPNESS * apart, axis=1))
        return place, jnp.repeat(in_view, 2)

    def apart(self, image: Float[Array, "H W 3"]) -> Float[Array, "keypoints pixels"]:
        """The squared distance of each pixel's colour from each keypoint's."""
        colours = jax.lax.stop_gradient(self.colours)
        pixels = image.reshape(-1, 3).T
        # |c - x|^2, multiplied out: a product, and not a cube.
        ours = jnp.sum(colours**2, axis=1)[:, None] + jnp.sum(pixels**2, axis=0)
        return ours - 2 * colours @ pixels


def calibrate(
    encoder: KeypointEncoder, images: UInt8[np.ndarray, "N H W 3"]
) -> KeypointEncoder:
    """The encoder, knowing where its colours usually are, and which are always there."""
    some = jnp.asarray(images[:: -(-len(images) // NUM_IMAGES)])
    places, in_view = jax.lax.map(lambda image: encoder.look(image / 255), some)
    known = (places.mean(axis=0), jnp.round(in_view.min(axis=0)))
    return eqx.tree_at(lambda encoder: (encoder.usual, encoder.is_constant), encoder, known)


def find_colours(
    images: UInt8[np.ndarray, "N H W 3"], num: int, *, rng: np.random.Generator
) -> Colours:
    """The colours of what moves: clusters of the pixels that differ from the mean image.

    A pixel is drawn in proportion to its squared difference, so a small thing that contrasts
    weighs as much as a large one that does not. Pixels are taken as they are: smaller images
    would have colours mixed along every edge, which nothing has.
    """
    some = images[rng.permutation(len(images))[:NUM_IMAGES]]
    colours = (some / np.float32(255)).reshape(len(some), -1, 3)
    moved = ((colours - colours.mean(axis=0)) ** 2).sum(axis=-1).reshape(-1) + MIN_MOVED
    up_to = np.cumsum(moved, dtype=np.float64)
    drawn = np.searchsorted(up_to, rng.random(NUM_PIXELS) * up_to[-1])
    pixels = colours.reshape(-1, 3)[drawn.clip(max=moved.size - 1)]
    tries = [cluster(pixels, num, rng=rng) for _ in range(NUM_TRIES)]
    return min(tries, key=lambda means: squared_distances(pixels, means).min(axis=1).sum())


def cluster(pixels: Pixels, num: int, *, rng: np.random.Generator) -> Colours:
    """The means of that many clusters (k-means)."""
    means = kmeans_plus_plus(pixels, num, rng=rng)
    for _ in range(NUM_ROUNDS):
        nearest = squared_distances(pixels, means).argmin(axis=1)
        for index in np.unique(nearest):
            means[index] = pixels[nearest == index].mean(axis=0)
    return means


def kmeans_plus_plus(pixels: Pixels, num: int, *, rng: np.random.Generator) -> Colours:
    """Pixels to start from, each likely to be far from those before it (k-means++)."""
    means = pixels[:1]
    while len(means) < num:
        weight = squared_distances(pixels, means).min(axis=1).astype(np.float64) + MIN_MOVED
        chosen = rng.choice(len(pixels), p=weight / weight.sum())
        means = np.concatenate([means, pixels[chosen : chosen + 1]])
    return means


def squared_distances(pixels: Pixels, means: Colours) -> Float32[np.ndarray, "pixels colours"]:
    """Of every pixel from every mean."""
    return ((pixels[:, None] - means[None]) ** 2).sum(axis=-1)


NUM_IMAGES = 1000
NUM_PIXELS = 20_000
"""Pixels that are clustered, drawn from so many images."""
NUM_TRIES = 5
"""Clusterings from different starts, of which the tightest is taken."""
NUM_ROUNDS = 20
MIN_MOVED = 1e-9
"""Keeps draws possible where nothing moves, or where there are fewer colours than keypoints."""
