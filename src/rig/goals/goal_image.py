"""Goal images: any file that Pillow reads, brought to the camera's shape.

A goal image made by ``rig look --goal`` carries its true state in a text chunk of the PNG. The
state is used for measuring only: the robot gets the image, and nothing else.
"""

import json
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from rig.envs.square_crop import square_image
from rig.errors import ImageError


GOAL_STATE_KEY = "rig:goal_state"
"""The text chunk that holds task, true state and seed, as JSON."""
MAX_FILE_BYTES = 1 << 28
"""More than the image of any camera."""
SENT_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What a browser may send; Pillow knows more, and some run other programs."""
MAX_SENT_PX = 4096
WHITE_16_BIT = 65_535
TURNED = range(2, 9)
"""Values of the EXIF tag Orientation for images that have to be turned or mirrored."""
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError),
    *(AttributeError, MemoryError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
"""What Pillow raises at a file that is no image, is cut off, or is a decompression bomb."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GoalImage:
    """A goal image in the camera's shape, and where it came from."""

    image: UInt8[np.ndarray, "H W 3"]
    changes: tuple[str, ...]
    """How the file was changed, in words; empty for an image of the camera itself."""
    task: str | None
    """The task that ``rig look`` made it with, if it did."""
    state: Float64[np.ndarray, " state"] | None
    """The true state in the image, if it is known."""
    seed: int = 0
    """The seed of a start from which the goal can be reached, where starts differ."""


def read_goal_image(path: Path, size: int) -> GoalImage:
    """Read an image of any size and mode as RGB of ``size`` times ``size`` pixels.

    Raises:
        ImageError: The file is missing, no image, cut off, or too large.
    """
    if not path.is_file():
        raise ImageError(f"{path} is not a file: give an image, e.g. from `rig look --goal`")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ImageError(f"{path} has {path.stat().st_size:,} bytes: give a smaller image")
    with path.open("rb") as file:
        return read_image_file(file, str(path), size)


def read_goal_bytes(file: BinaryIO, size: int) -> GoalImage:
    """Read an image that someone sent: usual formats only, at most 4096 pixels a side.

    Raises:
        ImageError: It is no image of these formats, cut off, or too large.
    """
    return read_image_file(file, "the file", size, formats=SENT_FORMATS, max_px=MAX_SENT_PX)


def read_image_file(
    file: BinaryIO,
    name: str,
    size: int,
    formats: tuple[str, ...] | None = None,
    max_px: int | None = None,
) -> GoalImage:
    """Read an open image file.

    Args:
        file: The file.
        name: What an error message calls it.
        size: Width and height of the goal image in pixels.
        formats: Formats to try, by Pillow's names; by default all that it knows.
        max_px: The largest side to accept.

    Raises:
        ImageError: It is no image, cut off, or too large.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about metadata of cameras
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file, formats=formats) as image:
                if max_px is not None and max(image.size) > max_px:
                    raise ValueError(f"{image.width} x {image.height}, at most {max_px} a side")
                return decoded(image, size)
        except UNREADABLE as error:
            is_unknown = isinstance(error, UnidentifiedImageError)
            reason = "unknown format" if is_unknown else " ".join(str(error).split())
            raise ImageError(
                f"{name} can't be read as an image ({reason}): give a complete PNG or JPEG file"
            ) from error


def decoded(file: Image.Image, size: int) -> GoalImage:
    """Decode an opened file: its first frame, upright, in RGB, its middle square."""
    known, changes = goal_state(file), []
    if getattr(file, "n_frames", 1) > 1:
        changes.append("took its first frame")
        file.seek(0)
    if file.getexif().get(ExifTags.Base.Orientation) in TURNED:
        changes.append("turned it as its EXIF tag says")
    image = to_rgb(ImageOps.exif_transpose(file), changes)
    side = min(image.size)
    if image.width != image.height:
        changes.append(f"cropped {image.width} x {image.height} to its middle square")
    if side != size:
        changes.append(f"resized {side} x {side} to {size} x {size}")
    square = np.asarray(square_image(image, size))
    return GoalImage(image=square, changes=tuple(changes), **known)


def save_goal_image(
    path: Path, image: Image.Image, task: str, state: list[float], seed: int = 0
) -> None:
    """Write an image as PNG, with its true state in a text chunk."""
    chunks = PngInfo()
    known = {"task": task, "state": state, "seed": seed}
    chunks.add_text(GOAL_STATE_KEY, json.dumps(known))
    image.save(path, "PNG", pnginfo=chunks)


def goal_state(image: Image.Image) -> dict[str, Any]:
    """Return the task, state and seed that an image carries.

    Task and state are None if it carries none, or a text that ``rig look`` did not write.
    """
    unknown = {"task": None, "state": None}
    text = image.info.get(GOAL_STATE_KEY, "{}")
    try:
        known = json.loads(text)
        task, seed = str(known["task"]), int(known.get("seed", 0))
        state = np.asarray(known["state"], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return unknown
    is_row = state.ndim == 1 and seed >= 0
    return {"task": task, "state": state, "seed": seed} if is_row else unknown


def to_rgb(image: Image.Image, changes: list[str]) -> Image.Image:
    """Return the image in 8-bit RGB, with white where it is transparent."""
    if image.mode.startswith(("I", "F")):
        changes.append("converted deep grey to 8-bit RGB")
        return deep_grey_to_rgb(image)
    if image.has_transparency_data:
        changes.append("put it on white")
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode != "RGB":
        changes.append(f"converted its mode {image.mode} to RGB")
    return image.convert("RGB")


def deep_grey_to_rgb(image: Image.Image) -> Image.Image:
    """Convert grey of 16 or 32 bits, or of floats in [0, 1] or [0, 255], to 8-bit RGB."""
    grey = np.asarray(image).astype(np.float64)
    white = float(WHITE_16_BIT)
    if image.mode.startswith("F"):
        white = 1.0 if np.nanmax(grey) <= 1 else 255.0
    scaled = np.rint(255 * np.clip(np.nan_to_num(grey / white), 0, 1))
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
