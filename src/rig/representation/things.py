"""Things: colors that move together, and what each adds to a latent.

An object shows as several colors: its light side, its dark side, its edge. Colors whose places
predict each other, where both are visible, belong to one thing. Latents are linear in the
features of the colors, so a latent is a sum of what each thing adds, and the sum of what things
added in different images is a latent that was never seen. Objects of one color are one thing.
"""

from functools import partial
from itertools import permutations

import numpy as np
from jaxtyping import Float, Float32, Float64, Int, UInt8

from rig.nn.chunks import in_chunks
from rig.representation.keypoint_fit import locate_all
from rig.representation.prior import one_thing
from rig.representation.quantile_keypoints import NUM_COLORS, QuantileKeypointEncoder
from rig.representation.slabs import NUM_FEATURES
from rig.types import Parts


MIN_PREDICTED = 0.4
"""Share of the variance of a color's place that another one predicts, on average over the
colors of a thing, for it to belong to the thing."""
MIN_ADDED = 0.05
"""Share of the variance of latents that a thing adds. What adds less, such as a color of noise,
belongs to the thing that adds most."""
MIN_VISIBLE_PIXELS = 5.0
"""Moved pixels of a color from which its place is compared with that of another one."""
FEWEST_IMAGES = 20
"""Images in which two colors must be visible together to be compared."""
MIN_VARIANCE = 1e-9
"""Keeps shares finite where nothing moves."""

Images = UInt8[np.ndarray, "N H W 3"]
Shapes = Float32[np.ndarray, "N colors features"]
Pixels = Float[np.ndarray, "N colors"]


def find_parts(encoder: QuantileKeypointEncoder, images: Images) -> Parts:
    """Return what each thing adds to a latent, as a matrix for each thing; they sum to one.

    The matrix of a thing stands at its first color; those of its other colors are 0.
    """
    shape, num_pixels = shapes_of(encoder, images)
    thing = thing_of_each(encoder, shape, num_pixels)
    if len(set(thing.tolist())) == 1:
        return one_thing(encoder.matrix.shape[1])
    return part_of_each(encoder, shape, thing)


def thing_of_each(
    encoder: QuantileKeypointEncoder, shape: Shapes, num_pixels: Pixels
) -> Int[np.ndarray, " colors"]:
    """Return the thing of each color, named by its first color."""
    return without_small(encoder, shape, group_colors(shape[..., :2], num_pixels))


def without_small(
    encoder: QuantileKeypointEncoder, shape: Shapes, thing: Int[np.ndarray, " colors"]
) -> Int[np.ndarray, " colors"]:
    """Return the thing of each color, where things that add little are no things."""
    latents = features_of(encoder, shape) @ np.asarray(encoder.matrix)
    parts = part_of_each(encoder, shape, thing)
    added = np.array([np.var(latents @ part, axis=0).sum() for part in parts])
    is_small = added < MIN_ADDED * np.var(latents, axis=0).sum()
    return np.where(is_small[thing], np.argmax(added), thing)


def shapes_of(encoder: QuantileKeypointEncoder, images: Images) -> tuple[Shapes, Pixels]:
    """Return place and shape of each color in each image, and its number of pixels."""
    shape, num_pixels = in_chunks(partial(locate_all, encoder.colors), images)
    return shape, num_pixels


def features_of(
    encoder: QuantileKeypointEncoder, shape: Shapes
) -> Float64[np.ndarray, "N numbers"]:
    """Return the features that latents are linear in: all colors in a row, less their mean."""
    return shape.reshape(len(shape), -1) - np.asarray(encoder.mean, np.float64)


def part_of_each(
    encoder: QuantileKeypointEncoder, shape: Shapes, thing: Int[np.ndarray, " colors"]
) -> Parts:
    """Return what each thing adds to a latent, given the thing of each color."""
    owner = np.repeat(thing, NUM_FEATURES)
    matrix = np.asarray(encoder.matrix, np.float64)
    features = features_of(encoder, shape)
    latents = features @ matrix
    gram = latents.T @ latents + MIN_VARIANCE * len(shape) * np.eye(latents.shape[1])
    # The features that are expected of an image, given its latent: a linear regression.
    expected = np.linalg.solve(gram, latents.T @ features)
    parts = [
        expected[:, owner == color] @ matrix[owner == color] for color in range(NUM_COLORS)
    ]
    return np.stack(parts).astype(np.float32)


def group_colors(
    place: Float[np.ndarray, "N colors 2"], num_pixels: Pixels
) -> Int[np.ndarray, " colors"]:
    """Return the thing of each color, named by its first color.

    A color that is not visible stands at its usual place, which says nothing: an arm that
    leaves the image would be a thing apart from its hand.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    at, colors = place.astype(np.float64), range(place.shape[1])
    is_visible = num_pixels > MIN_VISIBLE_PIXELS
    share = np.eye(len(colors))
    for i, j in permutations(colors, 2):
        both = is_visible[:, i] & is_visible[:, j]
        if both.sum() >= FEWEST_IMAGES:
            share[i, j] = predicted(at[both, i], at[both, j])
    unlike = 1 - np.maximum(share, share.T)
    np.fill_diagonal(unlike, 0)
    tree = linkage(squareform(unlike, checks=False), "average")
    label = fcluster(tree, 1 - MIN_PREDICTED, "distance")
    return np.array([np.flatnonzero(label == own)[0] for own in label])


def predicted(known: Float[np.ndarray, "N 2"], other: Float[np.ndarray, "N 2"]) -> float:
    """Return the share of the variance of one place that another one predicts, at most 1.

    By a line that is fitted to one half of the images and judged on the other.
    """
    known, other = known - known.mean(axis=0), other - other.mean(axis=0)
    half = len(known) // 2
    error = 0.0
    for fit, rest in ((slice(half), slice(half, None)), (slice(half, None), slice(half))):
        line, *_ = np.linalg.lstsq(known[fit], other[fit], rcond=None)
        error += float(np.sum((other[rest] - known[rest] @ line) ** 2))
    return 1 - (error + MIN_VARIANCE) / (float(np.sum(other**2)) + MIN_VARIANCE)
