"""Spread: how sure the latents of an image are.

A color of which fewer pixels are visible than usual is partly hidden, and stands for less sure
latents. How much less is found by hiding: scenes are shown twice, each time under another light
and with other noise, and once a part of what moved is replaced by the background. Half of the
squared difference of two images with nothing hidden is the variance that every image has; what
hiding adds to it is fitted to the squared share of each color that is lost (non-negative least
squares, Lawson and Hanson 1974). No true state is used.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from rig.representation.keypoint_fit import relit, take_apart
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.things import features_of, shapes_of


SHARE_HIDDEN = 0.7
"""Share of the scenes in which something is hidden."""

Images = UInt8[np.ndarray, "N H W 3"]
Latents = Float[np.ndarray, "N latent"]
Pixels = Float[np.ndarray, "N colors"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The variance of the latents of an image, given how much of each color is visible."""

    usual_pixels: Float32[np.ndarray, " colors"]
    """Moved pixels of each color, the median."""
    certain: Float[np.ndarray, " latent"]
    """Variance of the latents of an image in which nothing is hidden."""
    hidden: Float[np.ndarray, "colors latent"]
    """What each color adds to it if nothing of it is visible."""

    def std(self, num_pixels: Pixels) -> Latents:
        """Return the standard deviation of latents, given the moved pixels of each color."""
        return np.sqrt(self.certain + lost(num_pixels, self.usual_pixels) @ self.hidden)


def lost(num_pixels: Pixels, usual: Float[np.ndarray, " colors"]) -> Pixels:
    """Return the squared share of each color that is less than usual."""
    return np.clip(1 - num_pixels / usual, 0, 1) ** 2


def fit_spread(
    encoder: QuantileKeypointEncoder, images: Images, *, rng: np.random.Generator
) -> Spread:
    """Fit the spread of an encoder's latents to images."""
    from scipy.optimize import nnls  # loads slowly

    (whole, pixels), (partly, fewer), is_hidden = hidden_pairs(encoder, images, rng=rng)
    usual = np.maximum(np.median(pixels, axis=0), 1)
    squared = (whole - partly).astype(np.float64) ** 2
    certain = squared[~is_hidden].mean(axis=0) / 2
    known = lost(pixels, usual) + lost(fewer, usual)
    rest = squared - 2 * certain
    hidden = np.stack([nnls(known, column)[0] for column in rest.T], axis=1)
    return Spread(usual_pixels=usual.astype(np.float32), certain=certain, hidden=hidden)


def share_within(
    spread: Spread,
    encoder: QuantileKeypointEncoder,
    images: Images,
    num_stds: float,
    *,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Hide parts of images and return the share of latents that stay within their spread.

    Args:
        spread: Fitted to other images.
        encoder: Of the latents.
        images: To hide parts of.
        num_stds: Standard deviations that are within.
        rng: Draws what is hidden.

    Returns:
        The share in images with something hidden, and in the others.
    """
    (whole, pixels), (partly, fewer), is_hidden = hidden_pairs(encoder, images, rng=rng)
    std = np.sqrt(spread.std(pixels) ** 2 + spread.std(fewer) ** 2)
    within = np.abs(whole - partly) <= num_stds * std
    return float(within[is_hidden].mean()), float(within[~is_hidden].mean())


def hidden_pairs(
    encoder: QuantileKeypointEncoder, images: Images, *, rng: np.random.Generator
) -> tuple[tuple[Latents, Pixels], tuple[Latents, Pixels], Bool[np.ndarray, " N"]]:
    """Return latents and pixels of scenes, of the same with a part hidden, and which have one.

    What is hidden has the form of what moved in another image, at another place.
    """
    moved, light = take_apart(encoder.colors, images)
    num, side = moved.shape[:2]
    is_hidden = np.asarray(rng.random(num) < SHARE_HIDDEN)
    shown = moved.copy()
    for row, other in zip(np.flatnonzero(is_hidden), rng.permutation(num), strict=False):
        form = np.roll(moved[other].any(axis=-1), rng.integers(0, side, 2), (0, 1))
        shown[row][form] = 0
    whole, partly = (relit(encoder.colors, each, light, rng=rng) for each in (moved, shown))
    return read(encoder, whole), read(encoder, partly), is_hidden


def read(encoder: QuantileKeypointEncoder, images: Images) -> tuple[Latents, Pixels]:
    """Return the latents of images, and the moved pixels of each color."""
    shape, num_pixels = shapes_of(encoder, images)
    return features_of(encoder, shape) @ np.asarray(encoder.matrix), num_pixels
