"""What actor and critics compute from a latent and a goal before their perceptrons.

==============  ===============================================================================
ConcatFeatures  nothing: latent and goal are concatenated. This is the paper's method
PatchFeatures   layers of patches see an image and a goal image together: the baseline that
                learns end to end, from pixels
==============  ===============================================================================
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from rig.nn.layers import RowLinear
from rig.nn.patches import IMAGE_CHANNELS, PATCH_SIDES, grid_side, side_of, space_to_depth


Seen = Float[Array, "*B latent"] | UInt8[Array, "*B latent"]
"""Latents; in the end-to-end baseline images, flattened to one row of pixels each."""
FlatImage = UInt8[Array, " pixels"]


class ConcatFeatures(eqx.Module):
    """Concatenate a latent and a goal."""

    size: int = eqx.field(static=True)
    """Number of features."""

    def __init__(self, latent_dim: int) -> None:
        self.size = 2 * latent_dim

    def __call__(self, latent: Seen, goal: Seen) -> Float[Array, "*B size"]:
        """Return both in one row."""
        return jnp.concatenate([latent, goal], axis=-1)


class PatchFeatures(eqx.Module):
    """Patch layers on an image and a goal image, stacked to six channels.

    Source: Nair et al. 2018, section 5, whose baseline has three convolutions of 16, 32 and 32
    channels, kernel 5 and stride 3. Differs: patches do not overlap, for the reason given in
    :mod:`rig.nn.patches`, and two layers give a grid of similar size.
    """

    layers: tuple[RowLinear, ...]
    size: int = eqx.field(static=True)
    """Number of features."""

    def __init__(
        self, num_values: int, channels: tuple[int, ...], *, key: PRNGKeyArray
    ) -> None:
        sizes = (2 * IMAGE_CHANNELS, *channels)
        keys = jax.random.split(key, len(channels))
        self.layers = tuple(
            RowLinear(side**2 * fan_in, fan_out, key=layer_key)
            for side, fan_in, fan_out, layer_key in zip(
                PATCH_SIDES, sizes[:-1], channels, keys, strict=True
            )
        )
        self.size = grid_side(side_of(num_values)) ** 2 * channels[-1]

    def __call__(self, image: Seen, goal_image: Seen) -> Float[Array, "*B size"]:
        """Return the features of each pair."""
        return jnp.vectorize(self.pair_features, signature="(n),(n)->(size)")(image, goal_image)

    def pair_features(self, image: FlatImage, goal_image: FlatImage) -> Float[Array, " size"]:
        """Return the features of one image and its goal image, with pixels centred on 0."""
        side = side_of(image.size)
        pair = [one.reshape(side, side, IMAGE_CHANNELS) for one in (image, goal_image)]
        grid = jnp.concatenate(pair, axis=-1).astype(jnp.float32) / 255 - 0.5
        for patch_side, layer in zip(PATCH_SIDES, self.layers, strict=True):
            grid = jax.nn.relu(layer(space_to_depth(grid, patch_side)))
        return grid.reshape(-1)


FeatureExtractor = ConcatFeatures | PatchFeatures


def make_feature_extractor(
    latent_dim: int, channels: tuple[int, ...], *, key: PRNGKeyArray
) -> FeatureExtractor:
    """Make patch features with these channels; without channels, concatenated latents."""
    return (
        PatchFeatures(latent_dim, channels, key=key) if channels else ConcatFeatures(latent_dim)
    )
