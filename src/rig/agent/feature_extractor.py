"""What actor and critics make of a latent and a goal, before their perceptrons.

==========  ================================================================================
ConcatFeatures  nothing: both are put side by side. That is the method's way
PatchFeatures   layers of patches look at an image and a goal picture together: the baseline
that
            learns end to end, from pixels
==========  ================================================================================
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from rig.nn.layers import RowLinear
from rig.nn.patches import IMAGE_CHANNELS, PATCH_SIDES, grid_side, side_of, space_to_depth


Seen = Float[Array, "*B latent"] | UInt8[Array, "*B latent"]
"""Latents; end to end, pictures: the pixels of each in a row."""
FlatImage = UInt8[Array, " picture"]


class ConcatFeatures(eqx.Module):
    """A latent and a goal side by side, as they are."""

    size: int = eqx.field(static=True)
    """Numbers that come out."""

    def __init__(self, latent_dim: int) -> None:
        self.size = 2 * latent_dim

    def __call__(self, latent: Seen, goal: Seen) -> Float[Array, "*B size"]:
        """Both in one row."""
        return jnp.concatenate([latent, goal], axis=-1)


class PatchFeatures(eqx.Module):
    """Layers of patches that see an image and a goal picture as one of six channels.

    Source: Nair et al. 2018, section 5, whose baseline has three convolutions of 16, 32 and 32
    channels, 5 pixels wide, 3 apart. Differs: patches do not overlap, for the reason that
    :mod:`rig.nn.patches` gives, and two layers of them leave a grid as small.
    """

    layers: tuple[RowLinear, ...]
    size: int = eqx.field(static=True)
    """Numbers that come out."""

    def __init__(
        self, picture_size: int, channels: tuple[int, ...], *, key: PRNGKeyArray
    ) -> None:
        sizes = (2 * IMAGE_CHANNELS, *channels)
        keys = jax.random.split(key, len(channels))
        self.layers = tuple(
            RowLinear(side**2 * fan_in, fan_out, key=layer_key)
            for side, fan_in, fan_out, layer_key in zip(
                PATCH_SIDES, sizes[:-1], channels, keys, strict=True
            )
        )
        self.size = grid_side(side_of(picture_size)) ** 2 * channels[-1]

    def __call__(self, image: Seen, goal_image: Seen) -> Float[Array, "*B size"]:
        """What is seen in each pair."""
        return jnp.vectorize(self.look, signature="(n),(n)->(size)")(image, goal_image)

    def look(self, image: FlatImage, goal_image: FlatImage) -> Float[Array, " size"]:
        """What is seen in an image and its goal picture, pixels centred on 0."""
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
    """Eyes of so many channels; none ask for none."""
    return (
        PatchFeatures(latent_dim, channels, key=key) if channels else ConcatFeatures(latent_dim)
    )
