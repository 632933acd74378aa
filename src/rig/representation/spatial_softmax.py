"""Places in the image as latents: what encoders share whose attention says where things are.

A latent is the mean place of what a keypoint attends to, and the spread around it is one
learned number per latent, the same for every image.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


PLACE_SCALE = 3.0
"""Latents across half an image: brings the spread of places to that of the prior."""
FIRST_LOG_STD = -2.0
"""Of every latent before the fit; it is learned, one number per latent."""


def mean_positions(attention: Float[Array, "things cells"]) -> Float[Array, " latent"]:
    """The place of each thing, x and y side by side.

    Args:
        attention: How much each cell belongs to each thing; sums to 1 over the cells, which
            are those of a square image, row by row.
    """
    side = round(attention.shape[1] ** 0.5)
    return PLACE_SCALE * (attention @ centres(side)).reshape(-1)


def centres(side: int) -> Float[Array, "cells 2"]:
    """The middle of each cell, x right and y down, from -1 to 1 across the image."""
    offsets = (jnp.arange(side, dtype=jnp.float32) + 0.5) * 2 / side - 1
    down, right = jnp.meshgrid(offsets, offsets, indexing="ij")
    return jnp.stack([right.reshape(-1), down.reshape(-1)], axis=1)


def first_log_std(num_things: int) -> Float[Array, " latent"]:
    """The spread of the places of so many things, before the fit."""
    return jnp.full(2 * num_things, FIRST_LOG_STD)
