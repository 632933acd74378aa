"""Convolutions with stride equal to their size, as patches and matrix products.

XLA's convolutions are slow on a CPU and slower inside a loop. A layer here cuts the image into
patches that do not overlap, flattens each into a row and multiplies by a matrix. Two such
layers reduce a camera image of any size to a small grid::

    48 x 48 x 3  --4-->  12 x 12 x C1  --3-->  4 x 4 x C2
    84 x 84 x 3  --4-->  21 x 21 x C1  --3-->  7 x 7 x C2
"""

from math import isqrt

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from rig.nn.layers import MeanAndLogStd, RowLinear


PATCH_SIDES = (4, 3)
"""Patch side of the first layer [pixels] and of the second [cells]."""
IMAGE_CHANNELS = 3

Patches = Float[Array, "h w 48"]
"""An image cut into the patches of the first layer."""


def space_to_depth(image: Float[Array, "H W C"], side: int) -> Float[Array, "h w patch"]:
    """Flatten each patch of ``side`` x ``side`` pixels into one row of channels."""
    height, width, channels = image.shape
    grid = image.reshape(height // side, side, width // side, side, channels)
    return grid.transpose(0, 2, 1, 3, 4).reshape(height // side, width // side, -1)


def depth_to_space(patches: Float[Array, "h w patch"], side: int) -> Float[Array, "H W C"]:
    """Assemble an image from its patches; the inverse of :func:`space_to_depth`."""
    height, width, _ = patches.shape
    grid = patches.reshape(height, width, side, side, -1)
    return grid.transpose(0, 2, 1, 3, 4).reshape(height * side, width * side, -1)


def side_of(num_values: int) -> int:
    """Return the height and width of a square RGB image of that many pixel values."""
    return isqrt(num_values // IMAGE_CHANNELS)


def grid_side(image_size: int) -> int:
    """Return the number of cells along one side after both layers."""
    return image_size // (PATCH_SIDES[0] * PATCH_SIDES[1])


class PatchEncoder(eqx.Module):
    """Encoder of two patch layers: an image to the mean and log std of its latents."""

    first: RowLinear
    second: RowLinear
    head: RowLinear
    mean_image: Float[Array, "H W 3"]

    def __init__(
        self,
        mean_image: Float[Array, "H W 3"],
        channels: tuple[int, int],
        latent_dim: int,
        *,
        key: PRNGKeyArray,
    ) -> None:
        first_key, second_key, head_key = jax.random.split(key, 3)
        few, many = channels
        self.first = RowLinear(PATCH_SIDES[0] ** 2 * IMAGE_CHANNELS, few, key=first_key)
        self.second = RowLinear(PATCH_SIDES[1] ** 2 * few, many, key=second_key)
        self.mean_image = mean_image
        flat_size = grid_side(len(mean_image)) ** 2 * many
        self.head = RowLinear(flat_size, 2 * latent_dim, key=head_key).shrunk()

    def __call__(self, image: Float[Array, "H W 3"]) -> MeanAndLogStd:
        """Return the posterior's mean and log standard deviation."""
        difference = image - jax.lax.stop_gradient(self.mean_image)
        grid = jax.nn.relu(self.first(space_to_depth(difference, PATCH_SIDES[0])))
        grid = jax.nn.relu(self.second(space_to_depth(grid, PATCH_SIDES[1])))
        return split_log_std(self.head(grid.reshape(-1)))


class PatchDecoder(eqx.Module):
    """Decoder of two patch layers: latents to an image, cut into patches."""

    stem: RowLinear
    expand: RowLinear
    second: RowLinear
    first: RowLinear
    side: int = eqx.field(static=True)

    def __init__(
        self, image_size: int, channels: tuple[int, int], latent_dim: int, *, key: PRNGKeyArray
    ) -> None:
        stem_key, expand_key, second_key, first_key = jax.random.split(key, 4)
        few, many = channels
        self.side = grid_side(image_size)
        self.stem = RowLinear(latent_dim, STEM_SIZE, key=stem_key)
        self.expand = RowLinear(STEM_SIZE, self.side**2 * many, key=expand_key)
        self.second = RowLinear(many, PATCH_SIDES[1] ** 2 * few, key=second_key)
        last = RowLinear(few, PATCH_SIDES[0] ** 2 * IMAGE_CHANNELS, key=first_key)
        self.first = last.shrunk()

    def __call__(self, latent: Float[Array, " latent"]) -> Patches:
        """Return what the latent adds to the mean image."""
        hidden = jax.nn.relu(self.stem(latent))
        grid = jax.nn.relu(self.expand(hidden)).reshape(self.side, self.side, -1)
        grid = jax.nn.relu(depth_to_space(self.second(grid), PATCH_SIDES[1]))
        return self.first(grid)


def split_log_std(head: Float[Array, " twice"]) -> MeanAndLogStd:
    """Split an encoder's output into mean and log std, and clip the log std."""
    mean, log_std = jax.numpy.split(head, 2)
    return mean, jax.numpy.clip(log_std, MIN_LOG_STD, MAX_LOG_STD)


STEM_SIZE = 128
"""Hidden units between the latents and the decoder's grid."""
MIN_LOG_STD, MAX_LOG_STD = -6.0, 2.0
"""Bounds of the log standard deviation of a posterior."""
