"""Slab means: the place and the shape of a mass over pixels.

Along each direction (x, y and both diagonals) a mass is cut into slabs of equal mass, as
quantiles cut a line, and each slab gives its mean place, along the cut and across it. Along the
cut, the distance of two masses' slab means is the sliced Wasserstein distance (Bonneel et al.
2015). Across it, the slabs follow a curve, for example a rope. The slab means of a direction
are then rotated by a discrete cosine transform: its first coefficient is the mass's mean place,
the same for all directions, and the others are the width, the skew and so on.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32


NUM_SLABS = 4
"""Slabs along each direction."""
NUM_DIRECTIONS = 4
NUM_FEATURES = 2 + 2 * NUM_DIRECTIONS * (NUM_SLABS - 1)
"""Numbers per mass: the place, and the shape along and across each direction."""
POOL = 3
"""Diagonals are summed on a grid that is this many times coarser than the image."""


def slab_features(mass: Float[Array, "K H W"]) -> Float[Array, "K features"]:
    """Return the place of each mass, then its shape; in half image sides, x right, y down."""
    at = pixel_centres(mass.shape[-1])
    by_column = jnp.einsum("khw,hm->kmw", mass, jnp.stack([jnp.ones_like(at), at], 1))
    # One product gives the sums of rows, their moments and their pooled cells: sums over
    # windows are several times slower.
    pool = np.repeat(np.eye(len(at) // POOL, dtype=np.float32), POOL, axis=0)
    by_row = mass @ jnp.concatenate([jnp.ones((len(at), 1)), at[:, None], pool], axis=1)
    columns, y_of_columns = by_column[:, 0], by_column[:, 1]
    rows, x_of_rows = by_row[..., 0], by_row[..., 1]
    pooled = by_row[..., 2:].reshape(len(mass), -1, POOL, len(at) // POOL).sum(axis=2)
    x_of_columns, y_of_rows = columns * at, rows * at
    total = columns.sum(axis=-1, keepdims=True)
    place = jnp.stack([x_of_columns.sum(-1), y_of_rows.sum(-1)], -1) / total
    parts = [cut(columns, x_of_columns, y_of_columns), cut(rows, y_of_rows, x_of_rows)]
    parts += [cut(*sums) for sums in diagonal_sums(pooled)]
    slabs = jnp.stack(parts, axis=1)
    shape = (slabs @ cosine_matrix())[..., 1:]
    return jnp.concatenate([place, shape.reshape(len(mass), -1)], axis=-1)


def cosine_matrix() -> Float32[np.ndarray, "slabs coefficients"]:
    """Return the discrete cosine transform (DCT-II) of the slabs of a direction.

    Its first coefficient is the mean. Not SciPy's, which takes long to load, and every policy
    with this encoder would.
    """
    at = (np.arange(NUM_SLABS) + 0.5) / NUM_SLABS
    turn = np.cos(np.pi * np.outer(at, np.arange(NUM_SLABS))) / NUM_SLABS
    turn[:, 1:] *= np.sqrt(2)
    return turn.astype(np.float32)


def pixel_centres(side: int) -> Float[Array, " side"]:
    """Return the centre of each pixel along an axis, from -1 to 1 across the image."""
    return (jnp.arange(side, dtype=jnp.float32) + 0.5) * 2 / side - 1


def diagonal_sums(mass: Float[Array, "K h w"]) -> list[tuple[Float[Array, "K diagonals"], ...]]:
    """Return the mass of each diagonal, and its moments along the cut and across it.

    First those of x + y, then those of y - x.
    """
    matrix, along = diagonal_matrix(mass.shape[-1])
    sums = (mass.reshape(len(mass), -1) @ matrix).reshape(len(mass), 2, 2, -1)
    return [(sums[:, i, 0], sums[:, i, 0] * along, sums[:, i, 1]) for i in (0, 1)]


def diagonal_matrix(
    side: int,
) -> tuple[Float32[np.ndarray, "cells sums"], Float32[np.ndarray, " diagonals"]]:
    """Return the matrix that sums cells over diagonals, and the place of each diagonal.

    Its columns are, for x + y and then for y - x, the sums and then the moments across.
    """
    at = (np.arange(side) + 0.5) * 2 / side - 1
    num = 2 * side - 1
    row, column = np.divmod(np.arange(side * side), side)
    matrix = np.zeros((side * side, 2, 2, num), np.float32)
    for i, (x, turned) in enumerate([(at[column], column), (-at[column], side - 1 - column)]):
        cells = np.arange(side * side)
        matrix[cells, i, 0, row + turned] = 1
        matrix[cells, i, 1, row + turned] = (x - at[row]) / 2**0.5
    along = (np.arange(num) + 1 - side) * 2**0.5 / side
    return matrix.reshape(side * side, -1), along.astype(np.float32)


def cut(
    mass: Float[Array, "K bins"], along: Float[Array, "K bins"], across: Float[Array, "K bins"]
) -> Float[Array, "K 2 slabs"]:
    """Return the means of slabs of equal mass, along the cut and across it."""
    share = mass / mass.sum(axis=-1, keepdims=True)
    upto = jnp.cumsum(share, axis=-1)
    edges = jnp.arange(NUM_SLABS + 1) / NUM_SLABS
    clipped = jnp.clip(
        jnp.minimum(upto[:, None], edges[1:, None])
        - jnp.maximum((upto - share)[:, None], edges[:-1, None]),
        0,
    )
    weight = clipped * NUM_SLABS / jnp.maximum(mass, 1e-9)[:, None]
    return jnp.einsum("ksb,mkb->kms", weight, jnp.stack([along, across]))
