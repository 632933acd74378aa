"""Feature points: latents that are positions of learned features, as in a DSAE.

Each feature has a softmax over the cells of the image, and its latent is the mean position
under that softmax. The reconstruction loss decides what the features track. This is a baseline
for :mod:`rig.representation.quantile_keypoints`, where colors are clustered and not learned.

Source: Finn et al. 2016 (deep spatial autoencoders), section V. Differs: positions are the
means of a VAE's posterior (with beta 0 an autoencoder); features get the image and its
difference from the mean image; the decoder is a perceptron onto principal components; and no
term penalises points that jump.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from rig.nn.layers import MeanAndLogStd
from rig.nn.patches import IMAGE_CHANNELS, space_to_depth
from rig.representation.spatial_softmax import initial_log_std, mean_positions


CELLS_PER_SIDE = 24
"""Approximate number of cells along one side of an image."""
NUM_FEATURES = 16
"""Units per cell in the hidden layers."""
CONTRAST = 2.0
"""Factor on pixels, and on their difference from the mean image, before the first layer."""


class CellLinear(eqx.Module):
    """One linear map applied to every cell, with the cells along the last axis.

    The softmax over cells then runs over contiguous memory.
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, "out 1"]

    def __init__(self, in_size: int, out_size: int, *, key: PRNGKeyArray) -> None:
        bound = (6 / in_size) ** 0.5  # He et al. 2015, uniform
        self.weight = jax.random.uniform(key, (out_size, in_size), minval=-bound, maxval=bound)
        self.bias = jnp.zeros((out_size, 1))

    def __call__(self, cells: Float[Array, "in cells"]) -> Float[Array, "out cells"]:
        """Map each cell."""
        return self.weight @ cells + self.bias


class FeaturePointEncoder(eqx.Module):
    """Encoder of an image to the x and y of each feature."""

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
        self.log_std = initial_log_std(num_points)
        self.mean_image = mean_image

    def __call__(self, image: Float[Array, "H W 3"]) -> MeanAndLogStd:
        """Return the posterior's mean and log standard deviation."""
        return mean_positions(self.attention(image)), self.log_std

    def attention(self, image: Float[Array, "H W 3"]) -> Float[Array, "points cells"]:
        """Return the weight of each cell for each point; it sums to 1 over the cells."""
        cells = split_cells(image)
        difference = cells - split_cells(jax.lax.stop_gradient(self.mean_image))
        inputs = CONTRAST * jnp.concatenate([cells, difference])
        features = jax.nn.relu(self.second(jax.nn.relu(self.first(inputs))))
        return jax.nn.softmax(self.last(features), axis=1)


def split_cells(image: Float[Array, "H W 3"]) -> Float[Array, "values cells"]:
    """Return the pixel values of each cell, with the cells along the last axis."""
    values = IMAGE_CHANNELS * cell_side(len(image)) ** 2
    return space_to_depth(image, cell_side(len(image))).reshape(-1, values).T


def cell_side(image_size: int) -> int:
    """Return the number of pixels along one side of a cell."""
    return image_size // CELLS_PER_SIDE
