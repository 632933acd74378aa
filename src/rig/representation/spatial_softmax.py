"""Spatial softmax: latents that are mean positions in the image.

A latent is the mean position of the pixels that a feature point attends to. Its log standard
deviation is one learned number per latent, the same for every image.

Source: Finn et al. 2016 (deep spatial autoencoders), section V.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float


POSITION_SCALE = 3.0
"""Latent units across half an image. It brings the range of positions near to that of the VAE's
standard normal prior."""
INITIAL_LOG_STD = -2.0
"""Log standard deviation of every latent before the fit."""


def mean_positions(attention: Float[Array, "points cells"]) -> Float[Array, " latent"]:
    """Return the mean position of each point: x and y of the first, then of the second, ...

    Args:
        attention: The weight of each cell for each point. It sums to 1 over the cells, which
            are those of a square image, row by row.
    """
    side = round(attention.shape[1] ** 0.5)
    return POSITION_SCALE * (attention @ cell_centres(side)).reshape(-1)


def cell_centres(side: int) -> Float[Array, "cells 2"]:
    """Return the centre of each cell: x right, y down, from -1 to 1 across the image."""
    offsets = (jnp.arange(side, dtype=jnp.float32) + 0.5) * 2 / side - 1
    down, right = jnp.meshgrid(offsets, offsets, indexing="ij")
    return jnp.stack([right.reshape(-1), down.reshape(-1)], axis=1)


def initial_log_std(num_points: int) -> Float[Array, " latent"]:
    """Return the log standard deviation of the x and y of each point before the fit."""
    return jnp.full(2 * num_points, INITIAL_LOG_STD)
