"""Sheets of camera images: rows of pictures, each row with its name.

Drawn with Pillow alone and its own font, so that a sheet costs milliseconds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont


IMAGE_PX = 96
"""Camera images are enlarged, by a whole number, to at least this side."""
GAP_PX = 4
MARGIN_PX = 16
TITLE_PX = 20
LABEL_PX = 15
LINE_PX = 24
"""What a line with a label takes in height."""
PAPER = "white"
INK = "#1f2328"
FAINT_INK = "#59636e"

Images = UInt8[np.ndarray, "_ H W 3"]
"""Any number of images: rows of a sheet need not be equally long."""


def save_image_grid(path: Path, rows: Mapping[str, Images], title: str) -> None:
    """Draws rows of camera images, each under its label, and writes them as PNG."""
    draw_image_grid(list(rows.items()), title).save(path, "PNG")


def draw_image_grid(rows: Sequence[tuple[str, Images]], title: str) -> Image.Image:
    """Rows of camera images, each with its label at the left, under a title."""
    side = enlarged(rows[0][1][0]).width
    left = MARGIN_PX + max(label_width(label) for label, _ in rows)
    top = MARGIN_PX + (TITLE_PX + MARGIN_PX if title else 0)
    num_columns = max(len(images) for _, images in rows)
    width = max(left + num_columns * (side + GAP_PX), MARGIN_PX + text_width(title, TITLE_PX))
    height = top + len(rows) * (side + GAP_PX) - GAP_PX + MARGIN_PX
    sheet = Image.new("RGB", (width - GAP_PX + MARGIN_PX, height), PAPER)
    write(sheet, (MARGIN_PX, MARGIN_PX), title, TITLE_PX, INK)
    for index, (label, images) in enumerate(rows):
        y = top + index * (side + GAP_PX)
        write(sheet, (MARGIN_PX, y + (side - LINE_PX) // 2), label, LABEL_PX, FAINT_INK)
        for column, image in enumerate(images):
            sheet.paste(enlarged(image), (left + column * (side + GAP_PX), y))
    return sheet


def enlarged(image: UInt8[np.ndarray, "H W 3"], least_px: int = IMAGE_PX) -> Image.Image:
    """The image, each pixel repeated a whole number of times, at least ``least_px`` wide."""
    factor = -(-least_px // image.shape[1])
    return Image.fromarray(image.repeat(factor, axis=0).repeat(factor, axis=1))


def write(
    sheet: Image.Image, place: tuple[int, int], text: str, size_px: int, colour: str
) -> None:
    """Writes a line of text; its top left corner is at the place."""
    font = ImageFont.load_default(size_px)
    ImageDraw.Draw(sheet).text(place, text, fill=colour, font=font)


def text_width(text: str, size_px: int) -> int:
    """How wide a line of text is, pixels."""
    return round(ImageFont.load_default(size_px).getlength(text))


def label_width(label: str) -> int:
    """The room that a row's label takes, with the gap after it; none for no label."""
    return text_width(label, LABEL_PX) + MARGIN_PX if label else 0
