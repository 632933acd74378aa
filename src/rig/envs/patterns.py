"""Procedural patterns: factors of a geom's colour as functions of the point that is seen.

A pattern is fixed to its geom's own frame, so that it moves and turns with the geom. Nothing is
stored: a point's colour is computed when a ray hits it.
"""

from collections.abc import Callable, Sequence

import mujoco
import numpy as np
from jaxtyping import Float64, Int


Points = Float64[np.ndarray, "N 3"]
Factors = Float64[np.ndarray, "N 3"]
Pattern = Callable[[Points], Factors]
"""Factors of a geom's red, green and blue at points of its own frame, in metres."""

GRAIN_WIDTH_M, GRAIN_LENGTH_M = 0.02, 0.3
"""Size of a grain of wood."""
GRAIN_DEPTH = 0.12
"""Largest part of its brightness that a table loses to its grain."""
GRAIN_RGB = (0.9, 1.0, 1.25)
"""How much of this depth each colour loses: dark grain is redder."""
SLICES_RGB = np.array(
    [[0.85, 0.2, 0.2], [0.95, 0.8, 0.2], [0.2, 0.35, 0.85], [0.2, 0.65, 0.35]]
)
"""Colours of a pie's slices."""
TILE_M = 0.05
TILES_RGB = np.array(
    [[0.8, 0.68, 0.5], [0.55, 0.66, 0.6], [0.72, 0.48, 0.42], [0.5, 0.55, 0.7]]
)
"""Colours of tiles."""


def in_frame(
    datas: Sequence[mujoco.MjData], geom: int, points_m: Points, own: Int[np.ndarray, " N"]
) -> Points:
    """Return points in the frame of a geom, each of the data whose index is in ``own``."""
    positions_m = np.array([data.geom_xpos[geom] for data in datas])[own]
    axes = np.array([data.geom_xmat[geom] for data in datas]).reshape(-1, 3, 3)[own]
    return np.einsum("nij,ni->nj", axes, points_m - positions_m)


def wood_grain(points_m: Points) -> Factors:
    """Return the factors of wood whose grain runs along x."""
    x_m, y_m = points_m[:, 0], points_m[:, 1] + points_m[:, 2]
    bend_m = GRAIN_WIDTH_M * smooth_noise(x_m / GRAIN_LENGTH_M, y_m / (5 * GRAIN_WIDTH_M), 1)
    coarse = smooth_noise(x_m / GRAIN_LENGTH_M, (y_m + bend_m) / GRAIN_WIDTH_M, 2)
    fine = smooth_noise(2 * x_m / GRAIN_LENGTH_M, 3 * (y_m + bend_m) / GRAIN_WIDTH_M, 3)
    depth = GRAIN_DEPTH * (0.7 * coarse + 0.3 * fine)
    return 1 - depth[:, None] * GRAIN_RGB


def pie_slices(points_m: Points) -> Factors:
    """Return the colours of slices around z."""
    turn = np.arctan2(points_m[:, 1], points_m[:, 0]) / (2 * np.pi) + 0.5
    return SLICES_RGB[(turn * len(SLICES_RGB)).astype(int) % len(SLICES_RGB)]


def tiles(points_m: Points) -> Factors:
    """Return the colours of square tiles in x and y, in no order, with grain."""
    column, row = np.floor(points_m[:, :2] / TILE_M).astype(np.int64).T
    colours = (lattice(column, row, 4) * len(TILES_RGB)).astype(int)
    return TILES_RGB[colours] * wood_grain(points_m)


def smooth_noise(
    u: Float64[np.ndarray, " N"], v: Float64[np.ndarray, " N"], layer: int
) -> Float64[np.ndarray, " N"]:
    """Return value noise in [0, 1]: random at whole numbers, and smooth between them.

    Args:
        u: First coordinates.
        v: Second coordinates.
        layer: Another number gives another noise.
    """
    u_floor, v_floor = np.floor(u), np.floor(v)
    column, row = u_floor.astype(np.int64), v_floor.astype(np.int64)
    across, down = (smooth(x - floor) for x, floor in ((u, u_floor), (v, v_floor)))
    top = blend(lattice(column, row, layer), lattice(column + 1, row, layer), across)
    bottom = blend(lattice(column, row + 1, layer), lattice(column + 1, row + 1, layer), across)
    return blend(top, bottom, down)


def lattice(
    column: Int[np.ndarray, " N"], row: Int[np.ndarray, " N"], layer: int
) -> Float64[np.ndarray, " N"]:
    """Return a fixed random number in [0, 1) for each point of a lattice, by hashing it."""
    mixed = column.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= row.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= np.uint64(layer * 0x165667B19E3779F9 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(11)) / 2.0**53


def smooth(share: Float64[np.ndarray, " N"]) -> Float64[np.ndarray, " N"]:
    """Return a share of a way, eased in and out."""
    return share * share * (3 - 2 * share)


def blend(
    one: Float64[np.ndarray, " N"],
    other: Float64[np.ndarray, " N"],
    share: Float64[np.ndarray, " N"],
) -> Float64[np.ndarray, " N"]:
    """Return values between one and the other."""
    return one + share * (other - one)
