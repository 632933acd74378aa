"""Feature points: latents that are the places of learned features, as in a DSAE.

Small features of each cell of the image compete in a softmax over the cells, and a latent is
the mean place of the winners. Which things are followed is for the reconstruction to find out:
a baseline beside :mod:`rig.representation.keypoints`, whose colours are found and not learned.

Source: Finn et al. 2016 (deep spatial autoencoders), section V. Differs: the places are the
means of a VAE's posterior, which with beta 0 is an autoencoder; features see the image beside
the mean image; the decoder is a perceptron that paints principal components; and points are
free to jump.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from rig.nn.layers import Spread
from rig.nn.patches import IMAGE_CHANNELS, cut
from rig.representation.spatial_softmax import first_log_std, mean_positions


CELLS_PER_SIDE = 24
"""About how many cells an image has along one side."""
NUM_FEATURES = 16
"""Features of each cell in the hidden layers."""
CONTRAST = 2.0
"""Scale of pixels, and of their difference from the mean image, as features see them."""


class CellLinear(eqx.Module):
    """The same linear map of every cell; cells lie along the last axis, side by side in memory.

    The softmax over cells then runs along memory.
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, "out 1"]

    def __init__(self, in_size: int, out_size: int, *, key: PRNGKeyArray) -> None:
        bound = (6 / in_size) ** 0.5  # He et al. 2015, uniform
        self.weight = jax.random.uniform(key, (out_size, in_size), minval=-bound, maxval=bound)
        self.bias = jnp.zeros((out_size, 1))

    def __call__(self, cells: Float[Array, "in cells"]) -> Float[Array, "out cells"]:
        """The map, cell by cell."""
        return self.weight @ cells + self.bias


class FeaturePointEncoder(eqx.Module):
    """An image to the places of its features: x and y of each, side by side."""

    first: CellLinear
    second: CellLinear
    last: CellLinear
    log_std: Float[Array, " latent"]
    mean_image: Float[Array, "H W 3"]

    def __init__(
        self, mean_image: Float[Array, "H W 3"], num_points: int, *, key: PRNGKeyArray
    ) -> None:
        first_key, second_key, last_key = jax.random.split(key, 3)
        cell_size = 2 * IMAGE_CHANNELS * cell_side(len(mean_image)) ** 2
        self.first = CellLinear(cell_size, NUM_FEATURES, key=first_key)
        self.second = CellLinear(NUM_FEATURES, NUM_FEATURES, key=second_key)
        self.last = CellLinear(NUM_FEATURES, num_points, key=last_key)
        self.log_std = first_log_std(num_points)
        self.mean_image = mean_image

    def __call__(self, image: Float[Array, "H W 3"]) -> Spread:
        """The posterior's mean and log standard deviation."""
        return mean_positions(self.attend(image)), self.log_std

    def attend(self, image: Float[Array, "H W 3"]) -> Float[Array, "points cells"]:
        """How much each cell belongs to each point; sums to 1 over the cells."""
        cells = cut_cells(image)
        changed = cells - cut_cells(jax.lax.stop_gradient(self.mean_image))
        seen = CONTRAST * jnp.concatenate([cells, changed])
        features = jax.nn.relu(self.second(jax.nn.relu(self.first(seen))))
        return jax.nn.softmax(self.last(features), axis=1)


def cut_cells(image: Float[Array, "H W 3"]) -> Float[Array, "values cells"]:
    """The pixel values of each cell, cells along the last axis."""
    values = IMAGE_CHANNELS * cell_side(len(image)) ** 2
    return cut(image, cell_side(len(image))).reshape(-1, values).T


def cell_side(image_size: int) -> int:
    """Pixels along one side of a cell."""
    return image_size // CELLS_PER_SIDE
