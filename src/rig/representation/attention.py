"""What an encoder may show of what it sees, for people to look at. Learning uses none of it.

An encoder that attends to places in the image says so by having :class:`Attends`'s method, one
that has a picture of what stands still by having :class:`HasBackground`'s. Both are optional.
"""

from functools import partial
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Float32, UInt8

from rig.nn.chunks import in_chunks
from rig.representation.latent import LatentRepresentation
from rig.representation.representation import Images, Representation
from rig.representation.vae import to_float, to_uint8


Maps = Float32[np.ndarray, "N things H W"]


@runtime_checkable
class Attends(Protocol):
    """An encoder whose latents are about things at places in the image."""

    def attention(self, image: Float[Array, "H W 3"]) -> Float[Array, "things H W"]:
        """Return how much each pixel counts for each thing, at least 0; 0 where it is hidden.

        Args:
            image: Values in [0, 1], as the encoder is called with.
        """


@runtime_checkable
class HasBackground(Protocol):
    """An encoder that compares images with a picture of what stands still."""

    def background_image(self) -> Float[Array, "H W 3"]:
        """Return that picture, with values in [0, 1]."""


def attention_maps(representation: Representation, images: Images) -> Maps | None:
    """Return the attention of each thing in each image; None if the encoder offers none."""
    encoder = encoder_of(representation)
    if not isinstance(encoder, Attends):
        return None
    return np.asarray(in_chunks(partial(attend, encoder), images))


def background_of(representation: Representation) -> UInt8[np.ndarray, "H W 3"] | None:
    """Return the encoder's picture of what stands still; None if it offers none."""
    encoder = encoder_of(representation)
    if not isinstance(encoder, HasBackground):
        return None
    return np.asarray(to_uint8(encoder.background_image()))


def encoder_of(representation: Representation) -> object:
    """Return the encoder of a representation that has one."""
    if not isinstance(representation, LatentRepresentation):
        return None
    return representation.vae.encoder


@eqx.filter_jit
def attend(encoder: Attends, images: UInt8[Array, "N H W 3"]) -> Float[Array, "N things H W"]:
    """Return attention, compiled."""
    return jax.vmap(encoder.attention)(to_float(images))
