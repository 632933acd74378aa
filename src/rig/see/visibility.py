"""Visible, hidden or gone: what became of each thing in images that follow one another.

A thing is visible while enough of its pixels are. When it is not, it is hidden if something
else now covers most of the place where it was last seen (or, before that, is first seen). Else
it is gone, also if it is never seen in the episode.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from rig.goals.colour_name import colour_name
from rig.nn.chunks import in_chunks
from rig.representation.attention import attend, encoder_of
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.representation import Images, Representation
from rig.representation.things import MIN_VISIBLE_PIXELS, shapes_of, thing_of_each
from rig.see.motion import evenly
from rig.types import Collected


LEAST_VISIBLE = 0.3
"""Share of its usual pixels from which a thing is visible. Usual: the median of the images that
show more of it than noise would."""
LEAST_OF_PIXEL = 0.5
"""Share of a pixel that belongs to a thing from which the thing is there."""
LEAST_COVERED = 0.5
"""Share of a thing's place on which something else is from which the thing is hidden."""
MOST_LOST = 500
"""Images of each thing that are looked at where it is not visible."""
STATES = ("visible", "hidden", "gone")


@dataclass(frozen=True, kw_only=True, slots=True)
class Visibility:
    """The shares of images in which a thing is visible, hidden or gone; they sum to one."""

    name: str
    """Its most frequent color, in words; greys count less."""
    visible: float
    hidden: float
    gone: float


def visibility(representation: Representation, collected: Collected) -> list[Visibility]:
    """Return what became of each thing, largest first.

    Empty where the encoder does not find things, or images do not follow one another.
    """
    encoder = encoder_of(representation)
    if not isinstance(encoder, QuantileKeypointEncoder) or not len(collected.num_steps):
        return []
    episode = np.repeat(np.arange(len(collected.num_steps)), collected.num_steps + 1)
    images = collected.images[: len(episode)]
    shape, num_pixels = shapes_of(encoder, images)
    thing = thing_of_each(encoder, shape, num_pixels)
    found = []
    for first_color in np.unique(thing):
        is_own = thing == first_color
        num = num_pixels[:, is_own].sum(axis=1)
        is_there = num > MIN_VISIBLE_PIXELS
        usual = np.median(num[is_there]) if is_there.any() else np.inf
        is_visible = num >= LEAST_VISIBLE * usual
        lost = 1 - float(is_visible.mean())
        hidden = lost * share_hidden(encoder, images, is_own, is_visible, episode)
        name = name_of(encoder, np.where(is_own, num_pixels.sum(axis=0), 0))
        each = Visibility(name=name, visible=1 - lost, hidden=hidden, gone=lost - hidden)
        found.append((float(num.sum()), each))
    return [each for _, each in sorted(found, key=lambda pair: -pair[0])]


def name_of(encoder: QuantileKeypointEncoder, num: Float[np.ndarray, " colors"]) -> str:
    """Return the name of a thing: of its colors the one with most pixels, greys counting less.

    Its edges have the colors of what is behind them, and may be most of its pixels.

    Args:
        encoder: Knows the colors.
        num: Pixels of the thing's colors; 0 for the others.
    """
    levels = 255 * np.asarray(encoder.colors.colors)
    return colour_name(levels[np.argmax(num * np.ptp(levels, axis=1))])


def share_hidden(
    encoder: QuantileKeypointEncoder,
    images: Images,
    is_own: Bool[np.ndarray, " colors"],
    is_visible: Bool[np.ndarray, " N"],
    episode: Int[np.ndarray, " N"],
) -> float:
    """Return in which share of the images where a thing is not visible something covers it."""
    lost = np.flatnonzero(~is_visible)
    lost = lost[evenly(len(lost), MOST_LOST)]
    seen = np.array(
        [nearest_row(int(row), is_visible & (episode == episode[row])) for row in lost]
    )
    if not (seen >= 0).any():
        return 0.0
    now, before = (
        in_chunks(partial(attend, encoder), images[rows[seen >= 0]]) for rows in (lost, seen)
    )
    place = before[:, is_own].sum(axis=1) > LEAST_OF_PIXEL
    is_covered = place & (now[:, ~is_own].sum(axis=1) > LEAST_OF_PIXEL)
    covered = is_covered.sum(axis=(1, 2)) / np.maximum(place.sum(axis=(1, 2)), 1)
    return float((covered > LEAST_COVERED).sum() / len(lost))


def nearest_row(row: int, is_seen: Bool[np.ndarray, " N"]) -> int:
    """Return the last row before this one where a thing is seen, or the first after; or -1."""
    rows = np.flatnonzero(is_seen)
    before = rows[rows < row]
    return int(before[-1]) if len(before) else int(rows[0]) if len(rows) else -1
