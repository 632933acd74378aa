"""Image grids: rows of camera images, each row with its label.

Drawn with Pillow and its own font, in milliseconds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from rig.runs.atomic_files import complete_file


IMAGE_PX = 96
"""Camera images are enlarged, by a whole number, to at least this width."""
GAP_PX = 4
MARGIN_PX = 16
TITLE_PX = 20
LABEL_PX = 15
LINE_PX = 24
"""Height of a line with a label."""
PAPER = "white"
INK = "#1f2328"
FAINT_INK = "#59636e"

Images = UInt8[np.ndarray, "_ H W 3"]
"""Any number of images; rows of a grid may differ in length."""


def save_image_grid(path: Path, rows: Mapping[str, Images], title: str) -> None:
    """Draw rows of camera images, each with its label, and write them as PNG."""
    save_png(path, draw_image_grid(list(rows.items()), title))


def save_png(path: Path, image: Image.Image) -> None:
    """Write an image as PNG, or nothing."""
    with complete_file(path) as partial:
        image.save(partial, "PNG")


def draw_image_grid(rows: Sequence[tuple[str, Images]], title: str) -> Image.Image:
    """Draw rows of camera images, each with its label at the left, under a title."""
    side = enlarged(rows[0][1][0]).width
    left = MARGIN_PX + max(label_width(label) for label, _ in rows)
    top = MARGIN_PX + (TITLE_PX + MARGIN_PX if title else 0)
    num_columns = max(len(images) for _, images in rows)
    width = max(left + num_columns * (side + GAP_PX), MARGIN_PX + text_width(title, TITLE_PX))
    height = top + len(rows) * (side + GAP_PX) - GAP_PX + MARGIN_PX
    grid = Image.new("RGB", (width - GAP_PX + MARGIN_PX, height), PAPER)
    write(grid, (MARGIN_PX, MARGIN_PX), title, TITLE_PX, INK)
    for index, (label, images) in enumerate(rows):
        y = top + index * (side + GAP_PX)
        write(grid, (MARGIN_PX, y + (side - LINE_PX) // 2), label, LABEL_PX, FAINT_INK)
        for column, image in enumerate(images):
            grid.paste(enlarged(image), (left + column * (side + GAP_PX), y))
    return grid


def enlarged(image: UInt8[np.ndarray, "H W 3"], least_px: int = IMAGE_PX) -> Image.Image:
    """Enlarge an image by a whole number, to a width of at least ``least_px``."""
    factor = -(-least_px // image.shape[1])
    return Image.fromarray(image.repeat(factor, axis=0).repeat(factor, axis=1))


def write(
    grid: Image.Image, place: tuple[int, int], text: str, size_px: int, colour: str
) -> None:
    """Write a line of text with its top left corner at the place."""
    font = ImageFont.load_default(size_px)
    ImageDraw.Draw(grid).text(place, text, fill=colour, font=font)


def text_width(text: str, size_px: int) -> int:
    """Return the width of a line of text in pixels."""
    return round(ImageFont.load_default(size_px).getlength(text))


def label_width(label: str) -> int:
    """Return the width of a row's label and the gap after it in pixels, 0 without a label."""
    return text_width(label, LABEL_PX) + MARGIN_PX if label else 0
