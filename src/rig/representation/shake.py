"""The shaking of a camera: how far an image is off, by the edges of the background.

A small move of the whole image adds its size times the background's gradient to the log ratio
(Lucas and Kanade 1981). What is in front of the background is an outlier to that, and counts
little (Geman and McClure 1987). A camera shakes if what one image is off by is gone in the next
(``time_noise.py``). Else nothing is put right: what moves could pass for a move of the image.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from rig.representation.time_noise import MIN_FLICKER, steps_and_flicker


OUTLYING = 0.1
"""Log ratio beyond which a pixel is an outlier, where the background has no edge."""
OUTLYING_PX = 1.0
"""Size of a move, in pixels, that a pixel may be off by besides."""
NUM_ROUNDS = 3
"""Times that outliers are found again."""
NEIGHBOURHOOD_PX = 3
"""An edge that shakes passes for hidden, so what shows the background in a square of this size
around a pixel decides."""
RIDGE = 0.01
"""Keeps the move finite where the background has no edges [squared log ratio]."""
MIN_SHAKE_PX = 0.08
"""Shaking of less is not put right."""


def offset_of(
    ratio: Float[Array, "3 H W"],
    background: Float[Array, "3 H W"],
    visible_share: Float[Array, "H W"],
) -> Float[Array, "2"]:
    """Return how far an image is off, down and right [pixels].

    Args:
        ratio: Its log ratio to the background.
        background: Logarithms of levels.
        visible_share: Fraction of images in which each pixel shows the background.
    """
    edges = edges_of(background)
    outlying = (OUTLYING + OUTLYING_PX * jnp.sqrt(jnp.sum(edges**2, axis=(0, 1)))) ** 2
    square = (NEIGHBOURHOOD_PX, NEIGHBOURHOOD_PX)
    shown = jax.lax.reduce_window(visible_share, 0.0, jax.lax.max, square, (1, 1), "SAME")
    flat, target = edges.reshape(2, -1), ratio.reshape(-1)
    offset = jnp.zeros(2)
    for _ in range(NUM_ROUNDS):
        left = ratio - moved_by(offset, edges)
        trust = (shown / (1 + jnp.sum(left**2, axis=0) / outlying)) ** 2
        weighed = (edges * trust).reshape(2, -1)
        offset = solve(weighed @ flat.T + RIDGE * jnp.eye(2), weighed @ target)
    return offset


def solve(matrix: Float[Array, "2 2"], values: Float[Array, "2"]) -> Float[Array, "2"]:
    """Solve two equations, faster than a general solver does it for each image."""
    (a, b), (c, d) = matrix
    turned = jnp.stack([d * values[0] - b * values[1], a * values[1] - c * values[0]])
    return turned / (a * d - b * c)


def moved_by(
    offset: Float[Array, "2"], edges: Float[Array, "2 3 H W"]
) -> Float[Array, "3 H W"]:
    """Return the log ratio of a background that is off."""
    return offset[0] * edges[0] + offset[1] * edges[1]


def edges_of(background: Float[Array, "3 H W"]) -> Float[Array, "2 3 H W"]:
    """Return how an image of the background changes when it is off by a pixel.

    First by one down, then by one right: its content moves there, so that each pixel shows
    what was before it.
    """
    wide = jnp.pad(background, ((0, 0), (1, 1), (1, 1)), mode="edge")
    down = wide[:, :-2, 1:-1] - wide[:, 2:, 1:-1]
    right = wide[:, 1:-1, :-2] - wide[:, 1:-1, 2:]
    return jnp.stack([down, right]) / 2


def shaking_px(offsets: Float32[np.ndarray, "N 2"]) -> float:
    """Return the standard deviation of the shaking along an axis [pixels]; 0 if there is none.

    Args:
        offsets: Of images that follow each other in time.
    """
    steps, flicker = map(np.trace, steps_and_flicker(offsets))
    size = float(np.sqrt(max(flicker, 0.0) / 2))
    return size if flicker > MIN_FLICKER * steps and size > MIN_SHAKE_PX else 0.0
