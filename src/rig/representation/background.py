"""The background image: of each pixel, what is seen when nothing is in front of it.

Practice starts each episode in one place and moves some objects rarely, so the median of its
images contains them. Where a pixel has two values that both occur often enough, the background
is the one that continues its surroundings: an object has an edge, and the place that it has left
has none. This is a labelling of pixels with the least contrast between neighbours, solved
exactly as a minimum cut (Greig et al. 1989; Kolmogorov and Zabih 2004).
"""

import numpy as np
from jaxtyping import Bool, Float32, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow


RADIUS_STD = 4.0
"""Size of a mode of a pixel's values, in standard deviations of their noise."""
MIN_RADIUS = 0.06
"""Least size of a mode [log ratio]."""
MIN_SHARE = 0.02
"""A second value that fewer images show is not considered."""
MIN_SHARE_OF_REST = 0.5
"""A second value must hold this fraction of the images that do not show the first."""
PREFERENCE = 0.05
"""Contrast [log ratio] that a pixel's more frequent value may have, and still be preferred."""
MAX_CONTRAST = 0.5
"""Contrast between neighbours beyond which a difference costs no more [log ratio]."""
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
    first, is_first = mode(values, np.ones(values.shape[:3], bool), radius)
    second, is_second = mode(values, ~is_first, radius)
    share, other = is_first.mean(axis=0), is_second.mean(axis=0)
    has_two = (other > MIN_SHARE) & (other > MIN_SHARE_OF_REST * (1 - share))
    has_two &= np.abs(first - second).max(axis=-1) > radius
    swap = least_contrast(first, second, has_two)
    background = np.where(swap[..., None], second, first)
    return background, np.where(swap, other, share).astype(np.float32)


def mode(
    values: Values, is_free: Bool[np.ndarray, "N H W"], radius: Share
) -> tuple[Image, Bool[np.ndarray, "N H W"]]:
    """Return the most frequent of each pixel's free values, and where it is.

    The values near the median of those free are taken, and their mean.
    """
    masked = np.where(is_free[..., None], values, np.nan)
    masked[0][~is_free.any(axis=0)] = 0  # else NumPy warns about a median of nothing
    median = np.nanmedian(masked, axis=0)
    is_near = is_free & (np.abs(values - median).max(axis=-1) < radius)
    count = np.maximum(is_near.sum(axis=0), 1)[..., None]
    mean = np.where(is_near[..., None], values, 0).sum(axis=0) / count
    return np.where(count > 1, mean, median).astype(np.float32), is_near


def least_contrast(
    first: Image, second: Image, has_two: Bool[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """Return where the second value has less contrast to its surroundings than the first.

    The labelling of least cost. A label costs the contrast to its neighbours' values, and the
    second one ``PREFERENCE``.
    """
    second = np.where(has_two[..., None], second, first)
    node = np.arange(has_two.size).reshape(has_two.shape)
    to_second = np.full(has_two.size, PREFERENCE)
    to_first = np.zeros(has_two.size)
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
        np.add.at(to_second, p, p_only - same)
        np.add.at(to_second, q, both - p_only)
        edges.append((p, q, np.maximum(p_only + q_only - same - both, 0)))
    return minimum_cut(to_second - to_first, edges, has_two)


def contrast(
    one: Float32[np.ndarray, "N 3"], other: Float32[np.ndarray, "N 3"]
) -> Float32[np.ndarray, " N"]:
    """Return how different two rows of pixels look, up to ``MAX_CONTRAST``."""
    return np.minimum(np.abs(one - other).max(axis=-1), MAX_CONTRAST)


def minimum_cut(
    cost: np.ndarray, edges: list[tuple[np.ndarray, ...]], may_swap: Bool[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """Return the nodes of label 1 in the labelling of least cost.

    Args:
        cost: What label 1 costs more than label 0, for each node.
        edges: Nodes p and q, and what label 0 of p with label 1 of q costs.
        may_swap: Where label 1 is possible at all.
    """
    source, sink = len(cost), len(cost) + 1
    cost = np.where(may_swap.ravel(), cost, 1e4)
    nodes = np.arange(len(cost))
    # Nodes on the source's side have label 1: cutting source -> node gives label 0.
    rows = [np.full(len(cost), source), nodes]
    columns = [nodes, np.full(len(cost), sink)]
    weights = [np.maximum(-cost, 0), np.maximum(cost, 0)]
    for p, q, weight in edges:
        rows.append(q)
        columns.append(p)
        weights.append(weight)
    capacity: Int[np.ndarray, " edges"] = np.rint(UNITS * np.concatenate(weights)).astype(np.int32)
    where = (np.concatenate(rows), np.concatenate(columns))
    graph = csr_array((capacity, where), shape=(sink + 1, sink + 1))
    rest = graph - maximum_flow(graph, source, sink).flow
    rest.data[rest.data < 0] = 0
    rest.eliminate_zeros()
    reached = breadth_first_order(rest, source, return_predecessors=False)
    is_second = np.zeros(sink + 1, bool)
    is_second[reached] = True
    return is_second[: len(cost)].reshape(may_swap.shape)
