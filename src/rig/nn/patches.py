"""Convolutions as patches and matrix products.

XLA's convolutions are slow on a CPU and slower inside a loop, so a layer here cuts the image
into patches that do not overlap, lays each out as one row, and multiplies. Two such layers
take a camera image to a small grid, whatever its size::

    48 x 48 x 3  --4-->  12 x 12 x C1  --3-->  4 x 4 x C2
    84 x 84 x 3  --4-->  21 x 21 x C1  --3-->  7 x 7 x C2
"""

from math import isqrt

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from rig.nn.layers import RowLinear, Spread


PATCH_SIDES = (4, 3)
"""Side of the patches of the first and second layer, pixels and cells."""
IMAGE_CHANNELS = 3

Patches = Float[Array, "h w 48"]
"""An image cut into its first patches."""


def cut(image: Float[Array, "H W C"], side: int) -> Float[Array, "h w patch"]:
    """Lays each side x side patch out as one row of channels (space to depth)."""
    height, width, channels = image.shape
    grid = image.reshape(height // side, side, width // side, side, channels)
    return grid.transpose(0, 2, 1, 3, 4).reshape(height // side, width // side, -1)


def paste(patches: Float[Array, "h w patch"], side: int) -> Float[Array, "H W C"]:
    """Puts patches back side by side; the inverse of :func:`cut` (depth to space)."""
    height, width, _ = patches.shape
    grid = patches.reshape(height, width, side, side, -1)
    return grid.transpose(0, 2, 1, 3, 4).reshape(height * side, width * side, -1)


def side_of(num_values: int) -> int:
    """Return the height and width of a square RGB image of that many pixel values."""
    return isqrt(num_values // IMAGE_CHANNELS)


def grid_side(image_size: int) -> int:
    """Cells along one side after both layers."""
    return image_size // (PATCH_SIDES[0] * PATCH_SIDES[1])


class PatchEncoder(eqx.Module):
    """An image to the mean and log standard deviation of a few latents."""

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

    def __call__(self, image: Float[Array, "H W 3"]) -> Spread:
        """The posterior's mean and log standard deviation."""
        changed = image - jax.lax.stop_gradient(self.mean_image)
        grid = jax.nn.relu(self.first(cut(changed, PATCH_SIDES[0])))
        grid = jax.nn.relu(self.second(cut(grid, PATCH_SIDES[1])))
        return split_log_std(self.head(grid.reshape(-1)))


class PatchDecoder(eqx.Module):
    """A few latents to what they paint on the image, cut into patches."""

    stem: RowLinear
    spread: RowLinear
    second: RowLinear
    first: RowLinear
    side: int = eqx.field(static=True)

    def __init__(
        self, image_size: int, channels: tuple[int, int], latent_dim: int, *, key: PRNGKeyArray
    ) -> None:
        stem_key, spread_key, second_key, first_key = jax.random.split(key, 4)
        few, many = channels
        self.side = grid_side(image_size)
        self.stem = RowLinear(latent_dim, STEM_SIZE, key=stem_key)
        self.spread = RowLinear(STEM_SIZE, self.side**2 * many, key=spread_key)
        self.second = RowLinear(many, PATCH_SIDES[1] ** 2 * few, key=second_key)
        last = RowLinear(few, PATCH_SIDES[0] ** 2 * IMAGE_CHANNELS, key=first_key)
        self.first = last.shrunk()

    def __call__(self, latent: Float[Array, " latent"]) -> Patches:
        """What these latents add to the image."""
        hidden = jax.nn.relu(self.stem(latent))
        grid = jax.nn.relu(self.spread(hidden)).reshape(self.side, self.side, -1)
        grid = jax.nn.relu(paste(self.second(grid), PATCH_SIDES[1]))
        return self.first(grid)


def split_log_std(head: Float[Array, " twice"]) -> Spread:
    """The two halves of an encoder's last layer, the second one kept in bounds."""
    mean, log_std = jax.numpy.split(head, 2)
    return mean, jax.numpy.clip(log_std, MIN_LOG_STD, MAX_LOG_STD)


STEM_SIZE = 128
"""Units between the latents and the decoder's grid."""
MIN_LOG_STD, MAX_LOG_STD = -6.0, 2.0
"""Bounds of the posterior's log standard deviation."""
