"""What the page shows of a representation, as image grids."""

from collections.abc import Iterator
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image

from rig.report.image_grid import draw_image_grid
from rig.report.latent_traversals import latent_traversals
from rig.representation.attention import attention_maps, background_of
from rig.representation.make_collage import with_collage_of
from rig.representation.representation import Representation
from rig.see.how_sure import HowSure, unsureness
from rig.see.motion import Motion, evenly


NUM_COLUMNS = 8
"""Images in a row."""
MOST_THINGS = 12
"""Things that are shown, those of most attention first."""
DIM = 0.35
"""Brightness of images under what is drawn on them."""
PLACE_PX = 3
"""Enlargement of the images on which places are drawn."""
HIDDEN = 0.1
"""A thing with less than this share of its usual attention is hidden."""
HEAT = "magma"

Images = UInt8[np.ndarray, "N H W 3"]


@dataclass(frozen=True, slots=True)
class View:
    """An image for the page, with its heading and what it shows."""

    heading: str
    text: str
    image: Image.Image


def views(
    representation: Representation,
    images: Images,
    motion: Motion,
    reconstructions: Images,
    latents: Float[np.ndarray, "N latent"],
    *,
    rng: np.random.Generator,
) -> Iterator[View]:
    """Yield all views of what a representation holds of images."""
    yield motion_view(representation, motion)
    rows = evenly(len(motion.images), NUM_COLUMNS)
    shown = {"image": motion.images[rows], "reconstruction": reconstructions[rows]}
    yield View(
        "Reconstructions",
        "Images, and what the decoder makes of their latents.",
        draw_image_grid(list(shown.items()), ""),
    )
    maps = attention_maps(representation, motion.images)
    if maps is not None and maps.shape[1]:
        yield things_view(motion, maps)
    if representation.weight is not None:
        rows_of_latents = latent_traversals(representation, latents)
        yield View(
            "What each latent shows",
            "Each row: one latent, from two standard deviations below its mean to two above, "
            "with the others at their mean. Its weight is what it counts for in distances.",
            draw_image_grid(list(rows_of_latents.items()), ""),
        )
    goals = representation.imagine(2 * NUM_COLUMNS, rng=rng)
    imagined = with_collage_of(representation, images).decode(goals)
    yield View(
        "Imagined images",
        "Goals drawn from the prior. The robot would practise reaching them.",
        draw_image_grid([("", imagined[:NUM_COLUMNS]), ("", imagined[NUM_COLUMNS:])], ""),
    )


def unsure_views(sure: HowSure | None, motion: Motion) -> Iterator[View]:
    """Yield the images of which latents are least sure, if they say how sure they are."""
    if sure is None:
        return
    spread = unsureness(sure, motion.images)
    rows = np.argsort(-spread)[:NUM_COLUMNS]
    yield View(
        "Least sure",
        f"The images whose latents have the widest spread: {spread[rows[-1]]:.1f} to "
        f"{spread[rows[0]]:.1f} times that of the median image.",
        draw_image_grid([("", motion.images[rows])], ""),
    )


def motion_view(representation: Representation, motion: Motion) -> View:
    """Return the still image, how much each pixel moves, and the motion in some images."""
    rows = evenly(len(motion.images), NUM_COLUMNS)
    overall = np.sqrt((motion.strength**2).mean(axis=0))
    first = [motion.still, heat(overall[None])[0]]
    if (background := background_of(representation)) is not None:
        first.append(background)
    names = ["median", "how much each pixel moves", "the encoder's own still image"]
    grid = [
        (", ".join(names[: len(first)]), np.stack(first)),
        ("images", motion.images[rows]),
        ("their difference from the median", heat(motion.strength[rows])),
    ]
    return View(
        "Still image and motion",
        f"A pixel that stands still varies by {motion.noise_levels:.1f} grey levels, and the "
        f"light by {motion.light_swing:.0%}. Bright: what differs.",
        draw_image_grid(grid, ""),
    )


def heat(strength: Float32[np.ndarray, "N H W"]) -> Images:
    """Return a map from dark to bright; the brightest are the largest differences."""
    top = max(float(np.percentile(strength, 99.5)), 1.0)
    colours = mpl.colormaps[HEAT](np.clip(strength / top, 0, 1))[..., :3]
    return np.asarray((255 * colours).astype(np.uint8))


def things_view(motion: Motion, maps: Float32[np.ndarray, "N things H W"]) -> View:
    """Return where each thing is: its places over all images, and its attention in some."""
    mass = maps.sum(axis=(2, 3))
    usual = np.median(mass, axis=0)
    order = np.argsort(-(maps.std(axis=0).sum(axis=(1, 2))), kind="stable")[:MOST_THINGS]
    rows = evenly(len(motion.images), NUM_COLUMNS - 1)
    still = enlarged((DIM * motion.still).astype(np.uint8))
    grid = []
    for index, thing in enumerate(order, start=1):
        colour = colour_of(index, len(order))
        is_seen = mass[:, thing] > HIDDEN * usual[thing]
        places = still.copy()
        draw_places(places, mean_places(maps[is_seen, thing]), colour)
        attended = [
            overlay(motion.images[row], maps[row, thing], colour, maps[:, thing].max())
            for row in rows
        ]
        grid.append((f"thing {index}", np.stack([places, *attended])))
    return View(
        "Where each thing is",
        "Each row: one thing that the encoder attends to, for quantile keypoints a color: an "
        "object can have several. Left: its place in every image, over "
        "the still image. Right: what it attends to in some images.",
        draw_image_grid(grid, ""),
    )


def mean_places(maps: Float32[np.ndarray, "N H W"]) -> Float[np.ndarray, "N 2"]:
    """Return the mean row and column of each map, in pixels."""
    total = np.maximum(maps.sum(axis=(1, 2)), 1e-12)
    down, right = np.arange(maps.shape[1]), np.arange(maps.shape[2])
    rows, columns = maps.sum(axis=2) @ down, maps.sum(axis=1) @ right
    return np.stack([rows / total, columns / total], axis=1)


def draw_places(
    image: UInt8[np.ndarray, "H W 3"], places: Float[np.ndarray, "N 2"], colour: np.ndarray
) -> None:
    """Draw a dot at each place, on an enlarged image."""
    spots = np.rint((places + 0.5) * PLACE_PX).astype(int).clip(0, len(image) - 2)
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        image[spots[:, 0] + down, spots[:, 1] + right] = colour


def overlay(
    image: UInt8[np.ndarray, "H W 3"],
    attention: Float32[np.ndarray, "H W"],
    colour: np.ndarray,
    most: np.floating,
) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return an enlarged, dimmed image with attention in a colour on it."""
    share = np.sqrt(np.clip(attention / max(float(most), 1e-12), 0, 1))[..., None]
    return enlarged((DIM * image * (1 - share) + colour * share).astype(np.uint8))


def enlarged(image: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return an image enlarged by a whole number."""
    return image.repeat(PLACE_PX, axis=0).repeat(PLACE_PX, axis=1)


def colour_of(index: int, num: int) -> UInt8[np.ndarray, " 3"]:
    """Return one of ``num`` bright colours."""
    red, green, blue, _ = mpl.colormaps["hsv"](index / (num + 1))
    return np.array([255 * red, 255 * green, 255 * blue]).astype(np.uint8)
