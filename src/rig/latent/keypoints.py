"""Latents that are places: an encoder that says where things are in the image.

Small features of each cell of the image compete in a softmax over the cells, and a latent is
the mean place of the winners, so it moves as the thing it follows moves, in the image's own
frame, wherever the thing has been seen before. Which things are followed is for the
reconstruction to find out.

Source: the spatial softmax of Finn et al. 2016 (deep spatial autoencoders), section V.
Differs: the places are the means of a VAE's posterior, and features see the image beside the
mean image, so that what never moves is easy to ignore.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from rig.latent.layers import RowLinear, Spread
from rig.latent.patches import IMAGE_CHANNELS, cut


CELLS_PER_SIDE = 24
"""About how many cells an image has along one side."""
NUM_FEATURES = 16
"""Features of each cell in the hidden layers."""
CONTRAST = 2.0
"""Scale of pixels, and of their difference from the mean image, as features see them."""
PLACE_SCALE = 3.0
"""Latents across half an image: brings the spread of places to that of the prior."""
FIRST_LOG_STD = -2.0
"""Of every latent before the fit; it is learned, one number per latent."""


class KeypointEncoder(eqx.Module):
    """An image to the places of a few things in it: x and y of each, side by side."""

    first: RowLinear
    second: RowLinear
    last: RowLinear
    log_std: Float[Array, " latent"]
    mean_image: Float[Array, "H W 3"]

    def __init__(
        self, mean_image: Float[Array, "H W 3"], num_keypoints: int, *, key: PRNGKeyArray
    ) -> None:
        first_key, second_key, last_key = jax.random.split(key, 3)
        cell_size = 2 * IMAGE_CHANNELS * cell_side(len(mean_image)) ** 2
        self.first = RowLinear(cell_size, NUM_FEATURES, key=first_key)
        self.second = RowLinear(NUM_FEATURES, NUM_FEATURES, key=second_key)
        self.last = RowLinear(NUM_FEATURES, num_keypoints, key=last_key)
        self.log_std = jnp.full(2 * num_keypoints, FIRST_LOG_STD)
        self.mean_image = mean_image

    def __call__(self, image: Float[Array, "H W 3"]) -> Spread:
        """The posterior's mean and log standard deviation."""
        return PLACE_SCALE * mean_places(self.attend(image)).reshape(-1), self.log_std

    def attend(self, image: Float[Array, "H W 3"]) -> Float[Array, "h w keypoint"]:
        """How much each cell belongs to each keypoint; sums to 1 over the cells."""
        changed = image - jax.lax.stop_gradient(self.mean_image)
        seen = CONTRAST * jnp.concatenate([image, changed], axis=-1)
        cells = cut(seen, cell_side(len(image)))
        features = jax.nn.relu(self.second(jax.nn.relu(self.first(cells))))
        return jax.nn.softmax(self.last(features), axis=(0, 1))


def cell_side(image_size: int) -> int:
    """Pixels along one side of a cell."""
    return image_size // CELLS_PER_SIDE


def mean_places(
    attention: Float[Array, "h w keypoint"],
) -> Float[Array, "keypoint 2"]:
    """The mean place of each keypoint: right and down, in [-1, 1]."""
    rows, columns = (centres(size) for size in attention.shape[:2])
    right = jnp.einsum("hwk,w->k", attention, columns)
    down = jnp.einsum("hwk,h->k", attention, rows)
    return jnp.stack([right, down], axis=-1)


def centres(num_cells: int) -> Float[Array, " cells"]:
    """The centres of cells along one side that goes from -1 to 1."""
    return (jnp.arange(num_cells) + 0.5) / num_cells * 2 - 1
