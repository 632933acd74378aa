"""The background image: of each pixel, what is seen when nothing is in front of it.

Practice starts each episode in one place and moves some objects rarely, so the median of its
images contains them. Where a pixel has two values that both occur often enough, the background
is the one that continues its surroundings: an object has an edge, and the place that it has
left has none. This is a labelling of pixels with the least contrast between neighbours, solved
exactly as a minimum cut (Greig et al. 1989; Kolmogorov and Zabih 2004).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float32, Float64


RADIUS_STD = 4.0
"""Size of a mode of a pixel's values, in standard deviations of their noise."""
MIN_RADIUS = 0.06
"""Least size of a mode [log ratio]."""
SHRINKING = (1.0, 0.5, 0.5, 0.5, 0.5)
"""Shares of that size in which the mean of a mode is taken, one after the other."""
MIN_SHARE = 0.02
"""A second value that fewer images show is not considered."""
NUM_MODES = 4
"""Values of a pixel that may be the background, by how often they occur."""
NUM_CANDIDATES = 16
"""Values of a pixel that a mode is chosen from."""
PREFERENCE = 0.05
"""Contrast [log ratio] that a value may have and still be preferred to one that is e times less
frequent."""
MAX_CONTRAST = 0.5
"""Contrast between neighbours beyond which a difference costs no more [log ratio]."""
IMPOSSIBLE = 1e4
"""Cost of a label that a pixel can't have."""
UNITS = 10_000
"""Flow is in whole numbers: this many per unit of log ratio."""

Values = Float32[np.ndarray, "N H W 3"]
Image = Float32[np.ndarray, "H W 3"]
Share = Float32[np.ndarray, "H W"]


def find_background(values: Values, noise: Share) -> tuple[Image, Share]:
    """Return the background, and the fraction of images in which each pixel shows it.

    Args:
        values: Logarithms of levels under one light.
        noise: Standard deviation of each pixel while it shows one thing.
    """
    radius = np.maximum(RADIUS_STD * noise, MIN_RADIUS)
    is_free = np.ones(values.shape[:3], bool)
    background, is_near = mode(values, is_free, radius)
    share = is_near.mean(axis=0)
    for _ in range(NUM_MODES - 1):
        is_free &= ~is_near
        other, is_near = mode(values, is_free, radius)
        other_share = is_near.mean(axis=0)
        rarity = np.log(np.maximum(share, 1e-3) / np.maximum(other_share, 1e-3))
        cost = np.where(other_share > MIN_SHARE, PREFERENCE * rarity, np.inf)
        swap = least_contrast(background, other, cost)
        background = np.where(swap[..., None], other, background)
        share = np.where(swap, other_share, share)
    return background, share.astype(np.float32)


def mode(
    values: Values, is_free: Bool[np.ndarray, "N H W"], radius: Share
) -> tuple[Image, Bool[np.ndarray, "N H W"]]:
    """Return the most frequent of each pixel's free values, and where it is.

    Of a number of free values of each pixel, the one with the most others near it; then the
    mean of those, in a radius that shrinks, moves to where they are densest (mean shift; Cheng
    1995). Else another value, as of a thin thing's edge, would pull it halfway to itself.
    """
    order = np.cumsum(is_free, axis=0)
    total = order[-1]
    best, count = np.zeros(values.shape[1:], np.float32), np.zeros(total.shape, int)
    for i in range(NUM_CANDIDATES):
        rank = (total * (i + 0.5) / NUM_CANDIDATES).astype(int) + 1
        candidate = values[np.argmax(order >= rank, axis=0), *np.indices(total.shape)]
        num = (is_free & is_close(values, candidate, radius)).sum(axis=0)
        best = np.where((num > count)[..., None], candidate, best)
        count = np.maximum(num, count)
    for share in SHRINKING:
        is_near = is_free & is_close(values, best, share * radius)
        count = is_near.sum(axis=0)[..., None]
        mean = np.where(is_near[..., None], values, 0).sum(axis=0) / np.maximum(count, 1)
        best = np.where(count > 0, mean, best).astype(np.float32)
    return best, is_free & is_close(values, best, radius)


def is_close(values: Values, one: Image, radius: Share) -> Bool[np.ndarray, "N H W"]:
    """Return where values lie within a radius of one value of each pixel."""
    # A channel at a time: NumPy is slow at a maximum over a last axis of three.
    near = [np.abs(values[..., i] - one[..., i]) < radius for i in range(3)]
    return near[0] & near[1] & near[2]


def least_contrast(
    first: Image, second: Image, cost: Float64[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """Return where the second value has so little contrast to its surroundings that it wins.

    Args:
        first: The values of label 0.
        second: The values of label 1.
        cost: What label 1 costs more than label 0; infinite where it is not possible.
    """
    second = np.where(np.isfinite(cost)[..., None], second, first)
    node = np.arange(cost.size).reshape(cost.shape)
    swap_cost = cost.ravel().copy()
    edges = []
    for here, there in (((slice(None), slice(-1)), (slice(None), slice(1, None))),
                        ((slice(-1), slice(None)), (slice(1, None), slice(None)))):  # fmt: skip
        p, q = node[here].ravel(), node[there].ravel()
        a, b = (image[here].reshape(-1, 3) for image in (first, second))
        c, d = (image[there].reshape(-1, 3) for image in (first, second))
        same, both = contrast(a, c), contrast(b, d)
        p_only, q_only = contrast(b, c), contrast(a, d)
        # E(p, q) = same + (p_only - same) p + (both - p_only) q + (p_only + q_only - same -
        # both) (1 - p) q; a negative last term has no minimum cut and is left out.
        np.add.at(swap_cost, p, p_only - same)
        np.add.at(swap_cost, q, both - p_only)
        edges.append((p, q, np.maximum(p_only + q_only - same - both, 0)))
    return minimum_cut(np.minimum(swap_cost, IMPOSSIBLE), edges).reshape(cost.shape)


def contrast(
    one: Float32[np.ndarray, "N 3"], other: Float32[np.ndarray, "N 3"]
) -> Float32[np.ndarray, " N"]:
    """Return how different two rows of pixels look, up to ``MAX_CONTRAST``."""
    return np.minimum(np.abs(one - other).max(axis=-1), MAX_CONTRAST)


def minimum_cut(
    cost: Float64[np.ndarray, " nodes"], edges: Sequence[tuple[np.ndarray, ...]]
) -> Bool[np.ndarray, " nodes"]:
    """Return the nodes of label 1 in the labelling of least cost.

    Args:
        cost: What label 1 costs more than label 0, for each node.
        edges: Nodes p and q, and what label 0 of p with label 1 of q costs.
    """
    from scipy.sparse import csr_array  # loads slowly, and a trained policy never needs it
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    source, sink = len(cost), len(cost) + 1
    nodes = np.arange(len(cost))
    # Nodes on the source's side have label 1: cutting source -> node gives label 0.
    rows = [np.full(len(cost), source), nodes]
    columns = [nodes, np.full(len(cost), sink)]
    weights = [np.maximum(-cost, 0), np.maximum(cost, 0)]
    for p, q, weight in edges:
        rows.append(q)
        columns.append(p)
        weights.append(weight)
    capacity = np.rint(UNITS * np.concatenate(weights)).astype(np.int32)
    where = (np.concatenate(rows), np.concatenate(columns))
    graph = csr_array((capacity, where), shape=(sink + 1, sink + 1))
    rest = graph - maximum_flow(graph, source, sink).flow
    rest.data[rest.data < 0] = 0
    rest.eliminate_zeros()
    reached = breadth_first_order(rest, source, return_predecessors=False)
    is_second = np.zeros(sink + 1, bool)
    is_second[reached] = True
    return is_second[: len(cost)]
