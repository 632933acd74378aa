"""How sure latents are of each image, and whether that is honest."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rig.representation.attention import encoder_of
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.representation import Images, Representation
from rig.representation.spread import Spread, fit_spread, share_within
from rig.representation.things import shapes_of
from rig.see.motion import evenly


MOST_FIT_IMAGES, MOST_CHECK_IMAGES = 1000, 500
"""Images that the spread is fitted to and checked on, at most."""
NUM_STDS = 2.0
"""A normal number stays within as many standard deviations in 95 of 100 cases."""
FEWEST_IMAGES = 40
"""With fewer, nothing is said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HowSure:
    """The spread of latents, fitted to one half of the images and checked on the other."""

    encoder: QuantileKeypointEncoder
    spread: Spread
    within_hidden: float
    """Share of latents that stay within two standard deviations when a part of the image is
    hidden on purpose."""
    within_whole: float
    """The same where only light and noise change."""


def how_sure(
    representation: Representation, images: Images, *, rng: np.random.Generator
) -> HowSure | None:
    """Return how sure latents are; None if the encoder does not say, or images are few."""
    encoder = encoder_of(representation)
    if not isinstance(encoder, QuantileKeypointEncoder) or len(images) < FEWEST_IMAGES:
        return None
    half = len(images) // 2  # the next image is much like the last one
    known, rest = images[:half], images[half:]
    spread = fit_spread(encoder, known[evenly(len(known), MOST_FIT_IMAGES)], rng=rng)
    some = rest[evenly(len(rest), MOST_CHECK_IMAGES)]
    hidden, whole = share_within(spread, encoder, some, NUM_STDS, rng=rng)
    return HowSure(encoder=encoder, spread=spread, within_hidden=hidden, within_whole=whole)


def unsureness(sure: HowSure, images: Images) -> Float[np.ndarray, " N"]:
    """Return the spread of all latents of each image, over that of the median image."""
    _, num_pixels = shapes_of(sure.encoder, images)
    total = np.linalg.norm(sure.spread.std(num_pixels), axis=1)
    return np.asarray(total / np.median(total))
