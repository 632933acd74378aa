"""What is missing, in words: things that move in images, but not in their reconstructions.

A thing is a connected patch of pixels that differ from the still image and end sharply, as no
soft shadow does. The reconstruction follows it if it explains enough of that difference.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy import ndimage

from rig.goals.colour_name import colour_name
from rig.representation.probe import nearest
from rig.see.motion import Motion, differences


NOISE_STDS, LEAST_LEVELS = 4.0, 14.0
"""A pixel has moved if it differs by more than both."""
LEAST_AREA = 0.0015
"""Smaller patches, as a share of the image, are noise."""
EXPLAINED = 0.35
"""Share of a patch's squared difference below which the reconstruction does not follow it."""
LEAST_SHARE_OF_IMAGES = 0.03
RARE = 0.15
"""What is missing in fewer images, as a share of the commonest, is a part or a shadow of it."""
LEAST_IMAGES = 4
"""Fewer images with a thing are chance."""
KNOWN = 0.35
"""Error of a thing's place read off the latents, as a share of a blind guess's, below which the
latents know where it is."""
FEWEST_KNOWN = 20
RIDGE = 1e-2
"""Penalty on the weights, per image."""
MOSTLY = 0.6
"""Share of a thing's patches that are in one part of the image, or are not followed."""
SMALL, LARGE = 0.012, 0.06
"""Areas of what is called small and large, as shares of the image."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A thing that moved, in one image."""

    image: int
    colour: str
    area: float
    """Share of the image."""
    place: tuple[float, float]
    """Row and column of its middle, from 0 to 1."""
    explained: float
    """Share of its squared difference that the reconstruction explains."""


def missing(
    motion: Motion,
    reconstructions: UInt8[np.ndarray, "N H W 3"],
    latents: Float[np.ndarray, "N latent"],
) -> list[str]:
    """Return a sentence for each thing that moves and is not followed, commonest first.

    Args:
        motion: What moves in images.
        reconstructions: Of the same images.
        latents: Of the same images.
    """
    if not motion.strength.max() > threshold(motion):
        return ["Nothing moves in these images: show the camera what the robot can move."]
    by_colour = defaultdict(list)
    for patch in patches(motion, reconstructions):
        by_colour[patch.colour].append(patch)
    found = []
    for colour, group in by_colour.items():
        missed = [patch for patch in group if patch.explained < EXPLAINED]
        num = len({patch.image for patch in missed})
        least = max(LEAST_IMAGES, LEAST_SHARE_OF_IMAGES * len(motion.images))
        if num >= least and len(missed) >= MOSTLY * len(group):
            is_known = place_share(latents, missed) < KNOWN
            found.append((num, sentence(colour, missed, num / len(motion.images), is_known)))
    most = max((num for num, _ in found), default=0)
    return [text for num, text in sorted(found, reverse=True) if num >= RARE * most]


def threshold(motion: Motion) -> float:
    """Return the difference above which a pixel has moved, grey levels."""
    return max(NOISE_STDS * motion.noise_levels, LEAST_LEVELS)


def patches(motion: Motion, reconstructions: UInt8[np.ndarray, "N H W 3"]) -> Iterator[Patch]:
    """Yield the things that moved in each image, except those whose edge is soft."""
    left = motion.difference - differences(reconstructions, motion.still)
    moved = motion.strength > threshold(motion)
    for index, mask in enumerate(moved):
        labels, num = ndimage.label(mask)
        for label in range(1, num + 1):
            inside = labels == label
            if inside.mean() < LEAST_AREA or not is_sharp(inside, motion, index):
                continue
            noise = inside.sum() * 3 * motion.noise_levels**2
            whole = float((motion.difference[index][inside] ** 2).sum()) - noise
            unexplained = max(float((left[index][inside] ** 2).sum()) - noise, 0.0)
            rows, columns = np.nonzero(inside)
            yield Patch(
                image=index,
                colour=colour_name(np.median(motion.images[index][inside], axis=0)),
                area=float(inside.mean()),
                place=((rows.mean() + 0.5) / len(mask), (columns.mean() + 0.5) / len(mask)),
                explained=1 - unexplained / max(whole, 1.0),
            )


def is_sharp(inside: Bool[np.ndarray, "H W"], motion: Motion, index: int) -> bool:
    """Return whether a patch ends within two pixels, as a thing does and a soft shadow not."""
    strength = motion.strength[index]
    rim = inside & ~ndimage.binary_erosion(inside)
    around = ndimage.binary_dilation(inside, iterations=2) & ~ndimage.binary_dilation(inside)
    if not around.any():
        return True
    return bool(strength[rim].mean() - strength[around].mean() > threshold(motion) / 2)


def place_share(latents: Float[np.ndarray, "N latent"], missed: Sequence[Patch]) -> float:
    """Return how far the place of a thing read off the latents is wrong.

    It is a share of the error of always saying the median place; 1 where too few images show
    the thing. Half of these images are known, and the places in the other half are read off.
    """
    largest = {patch.image: patch for patch in sorted(missed, key=lambda patch: patch.area)}
    half = len(largest) // 2
    if half < FEWEST_KNOWN:
        return 1.0
    order = np.random.default_rng(0).permutation(list(largest))
    rows, places = latents[order], np.array([largest[image].place for image in order])
    readings = (
        places[:half][nearest(rows[half:], rows[:half])].mean(axis=1),
        fit_linear(rows[half:], rows[:half], places[:half]),
    )
    errors = [np.median(np.linalg.norm(each - places[half:], axis=1)) for each in readings]
    blind = np.linalg.norm(np.median(places[:half], axis=0) - places[half:], axis=1)
    return float(min(errors) / max(float(np.median(blind)), 1e-9))


def fit_linear(queries: np.ndarray, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values for queries, by ridge regression on known rows."""
    mean, middle = known.mean(axis=0), values.mean(axis=0)
    features = (known - mean).astype(np.float64)
    gram = features.T @ features + RIDGE * len(known) * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features.T @ (values - middle))
    return np.asarray((queries - mean) @ weights + middle)


def sentence(colour: str, missed: Sequence[Patch], share: float, is_known: bool) -> str:
    """Say what is not followed, where it is, and how often."""
    area = float(np.median([patch.area for patch in missed]))
    size = "small " if area < SMALL else "large " if area > LARGE else ""
    where = place_name(np.array([patch.place for patch in missed]))
    thing = f"the {size}{colour} thing {where}, which moves in {share:.0%} of the images"
    if is_known:
        return (
            f"The latents know the place of {thing}, but the reconstruction does not show it: "
            "its shape or turn may be lost."
        )
    return f"Nothing follows {thing}."


def place_name(places: np.ndarray) -> str:
    """Return where most places are, in words, given rows and columns from 0 to 1."""
    thirds = np.clip((3 * places).astype(int), 0, 2)
    names = (("upper", "middle", "lower"), ("left", "middle", "right"))
    found = []
    for axis in (0, 1):
        counts = np.bincount(thirds[:, axis], minlength=3)
        is_clear = counts.max() >= MOSTLY * len(places)
        found.append(names[axis][counts.argmax()] if is_clear else "")
    row, column = found
    if row and column:
        return "in the middle" if row == column else f"at the {row} {column}"
    if row or column:
        edges = {"upper": "at the top", "lower": "at the bottom", "middle": "across the middle"}
        return edges.get(row or column, f"at the {column}")
    return "in many places"
