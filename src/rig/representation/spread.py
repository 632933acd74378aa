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
from jaxtyping import Bool, Float, UInt8

from rig.representation.keypoint_fit import relit, take_apart
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.things import features_of, shapes_of


SHARE_HIDDEN = 0.7
"""Share of the scenes in which something is hidden."""
FEWEST_PIXELS = 1.0
"""A color of fewer pixels as usual is one that is mostly not there."""

Images = UInt8[np.ndarray, "N H W 3"]
Latents = Float[np.ndarray, "N latent"]
Pixels = Float[np.ndarray, "N colors"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """The variance of the latents of an image, given how much of each color is visible."""

    usual_pixels: Float[np.ndarray, " colors"]
    """Moved pixels of each color in images as they are."""
    certain: Float[np.ndarray, " latent"]
    """Variance of the latents of an image in which nothing is hidden."""
    hidden: Float[np.ndarray, "colors latent"]
    """What each color adds to it if nothing of it is visible."""

    def std(
        self, num_pixels: Pixels, usual: Float[np.ndarray, " colors"] | None = None
    ) -> Latents:
        """Return the standard deviation of latents.

        Args:
            num_pixels: Moved pixels of each color.
            usual: The same as usual; by default that of images as they are.
        """
        usual = self.usual_pixels if usual is None else usual
        return np.asarray(np.sqrt(self.certain + lost(num_pixels, usual) @ self.hidden))


def usual_of(num_pixels: Pixels) -> Float[np.ndarray, " colors"]:
    """Return the usual number of pixels of each color: the median."""
    return np.maximum(np.median(num_pixels, axis=0), FEWEST_PIXELS)


def lost(num_pixels: Pixels, usual: Float[np.ndarray, " colors"]) -> Pixels:
    """Return the squared share of each color that is less than usual."""
    return np.clip(1 - num_pixels / usual, 0, 1) ** 2


def fit_spread(
    encoder: QuantileKeypointEncoder, images: Images, *, rng: np.random.Generator
) -> Spread:
    """Fit the spread of an encoder's latents to images."""
    from scipy.optimize import nnls  # loads slowly

    (whole, pixels), (partly, fewer), is_hidden = hidden_pairs(encoder, images, rng=rng)
    usual = usual_of(pixels)
    squared = (whole - partly).astype(np.float64) ** 2
    certain = squared[~is_hidden].mean(axis=0) / 2
    known = lost(pixels, usual) + lost(fewer, usual)
    rest = squared - 2 * certain
    hidden = np.stack([nnls(known, column)[0] for column in rest.T], axis=1)
    _, real_pixels = shapes_of(encoder, images)
    return Spread(usual_pixels=usual_of(real_pixels), certain=certain, hidden=hidden)


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
    usual = usual_of(pixels)
    std = np.sqrt(spread.std(pixels, usual) ** 2 + spread.std(fewer, usual) ** 2)
    within = np.abs(whole - partly) <= num_stds * std
    return float(within[is_hidden].mean()), float(within[~is_hidden].mean())


def hidden_pairs(
    encoder: QuantileKeypointEncoder, images: Images, *, rng: np.random.Generator
) -> tuple[tuple[Latents, Pixels], tuple[Latents, Pixels], Bool[np.ndarray, " N"]]:
    """Return latents and pixels of scenes, of the same with a part hidden, and which have one.

    What is hidden has the form of what moved in another image, put on something that moved.
    """
    moved, light = take_apart(encoder.colors, images)
    num, rows = len(moved), rng.permutation(len(moved))
    is_hidden, shown = np.zeros(num, bool), moved.copy()
    for row, other in zip(
        rows[: round(SHARE_HIDDEN * num)], rng.permutation(num), strict=False
    ):
        is_hidden[row] = True
        form, mask = moved[other].any(axis=-1), moved[row].any(axis=-1)
        if form.any() and mask.any():
            to, at = rng.choice(np.argwhere(mask)), rng.choice(np.argwhere(form))
            shown[row][np.roll(form, to - at, (0, 1))] = 0
    whole, partly = (relit(encoder.colors, each, light, rng=rng) for each in (moved, shown))
    return read(encoder, whole), read(encoder, partly), is_hidden


def read(encoder: QuantileKeypointEncoder, images: Images) -> tuple[Latents, Pixels]:
    """Return the latents of images, and the moved pixels of each color."""
    shape, num_pixels = shapes_of(encoder, images)
    return features_of(encoder, shape) @ np.asarray(encoder.matrix), num_pixels
