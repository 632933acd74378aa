"""Convolutions as patches and matrix products.

XLA's convolutions are slow on a CPU and slower inside a loop, so a layer here cuts the image
into patches that do not overlap, lays each out as one row, and multiplies. Two such layers
take a camera image to a small grid, whatever its size. The cut into the first patches only
moves pixels, so the whole VAE works on images that are already cut, and they are cut once::

    48 x 48 x 3  --4-->  12 x 12 x C1  --3-->  4 x 4 x C2
    84 x 84 x 3  --4-->  21 x 21 x C1  --3-->  7 x 7 x C2
"""

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray


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


def grid_side(image_size: int) -> int:
    """Cells along one side after both layers."""
    return image_size // (PATCH_SIDES[0] * PATCH_SIDES[1])


class PatchLinear(eqx.Module):
    """The same linear map for every cell of a grid."""

    weight: Float[Array, "patch out"]
    bias: Float[Array, " out"]

    def __init__(self, in_size: int, out_size: int, *, key: PRNGKeyArray) -> None:
        bound = (6 / in_size) ** 0.5  # He et al. 2015, uniform
        self.weight = jax.random.uniform(key, (in_size, out_size), minval=-bound, maxval=bound)
        self.bias = jax.numpy.zeros(out_size)

    def __call__(self, grid: Float[Array, "*cells patch"]) -> Float[Array, "*cells out"]:
        """The map, cell by cell."""
        return grid @ self.weight + self.bias


class PatchEncoder(eqx.Module):
    """An image, cut into patches, to the mean and log standard deviation of a few latents."""

    layers: tuple[PatchLinear, PatchLinear]
    head: PatchLinear

    def __init__(
        self, image_size: int, channels: tuple[int, int], latent_size: int, *, key: PRNGKeyArray
    ) -> None:
        first_key, second_key, head_key = jax.random.split(key, 3)
        first, second = channels
        self.layers = (
            PatchLinear(PATCH_SIDES[0] ** 2 * IMAGE_CHANNELS, first, key=first_key),
            PatchLinear(PATCH_SIDES[1] ** 2 * first, second, key=second_key),
        )
        flat_size = grid_side(image_size) ** 2 * second
        head = PatchLinear(flat_size, 2 * latent_size, key=head_key)
        self.head = eqx.tree_at(lambda linear: linear.weight, head, head.weight * HEAD_SCALE)

    def __call__(self, patches: Patches) -> tuple[Float[Array, " latent"], Float[Array, " latent"]]:
        """The posterior's mean and log standard deviation."""
        first, second = self.layers
        grid = jax.nn.relu(first(patches))
        grid = jax.nn.relu(second(cut(grid, PATCH_SIDES[1])))
        mean, log_std = jax.numpy.split(self.head(grid.reshape(-1)), 2)
        return mean, jax.numpy.clip(log_std, MIN_LOG_STD, MAX_LOG_STD)


class PatchDecoder(eqx.Module):
    """A few latents to what they paint on the image, cut into patches."""

    stem: PatchLinear
    spread: PatchLinear
    layers: tuple[PatchLinear, PatchLinear]
    side: int = eqx.field(static=True)

    def __init__(
        self, image_size: int, channels: tuple[int, int], latent_size: int, *, key: PRNGKeyArray
    ) -> None:
        stem_key, spread_key, second_key, first_key = jax.random.split(key, 4)
        first, second = channels
        self.side = grid_side(image_size)
        self.stem = PatchLinear(latent_size, STEM_SIZE, key=stem_key)
        self.spread = PatchLinear(STEM_SIZE, self.side**2 * second, key=spread_key)
        last = PatchLinear(first, PATCH_SIDES[0] ** 2 * IMAGE_CHANNELS, key=first_key)
        self.layers = (
            PatchLinear(second, PATCH_SIDES[1] ** 2 * first, key=second_key),
            eqx.tree_at(lambda linear: linear.weight, last, last.weight * HEAD_SCALE),
        )

    def __call__(self, latent: Float[Array, " latent"]) -> Patches:
        """What these latents add to the image."""
        hidden = jax.nn.relu(self.stem(latent))
        grid = jax.nn.relu(self.spread(hidden)).reshape(self.side, self.side, -1)
        second, first = self.layers
        grid = jax.nn.relu(paste(second(grid), PATCH_SIDES[1]))
        return first(grid)


STEM_SIZE = 128
"""Units between the latents and the decoder's grid."""
HEAD_SCALE = 0.1
"""Shrinks the last layer of encoder and decoder, so that both start near 0."""
MIN_LOG_STD, MAX_LOG_STD = -6.0, 2.0
"""Bounds of the posterior's log standard deviation."""
