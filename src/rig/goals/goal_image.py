"""Goal images: any file that Pillow reads, brought to the camera's shape.

A goal image made by ``rig look --goal`` carries its true state in a text chunk of the PNG. The
state is used for measuring only: the robot gets the image, and nothing else.
"""

import io
import json
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from rig.envs.square_crop import square_image
from rig.errors import ImageError
from rig.goals.photograph import MAX_PIXELS, check_size, one_large_image, reduced
from rig.runs.atomic_files import complete_file


GOAL_STATE_KEY = "rig:goal_state"
"""The text chunk that holds task, true state and seed, as JSON."""
MAX_FILE_BYTES = 1 << 28
"""More than the image of any camera."""
SENT_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
"""What a browser may send."""
WHITE_16_BIT = 65_535
TURNED = range(2, 9)
"""Values of the EXIF tag Orientation for images that have to be turned or mirrored."""
QUARTER_TURNED = range(5, 9)
"""Those whose width is the height of the image in the file."""
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError),
    *(AttributeError, MemoryError, struct.error, zlib.error),
)
"""What Pillow raises at a file that is no image, or is cut off."""
BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
"""What is raised at a decompression bomb."""


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
    return read_image_file(path, str(path), size)


def read_sent_image(data: bytes, size: int) -> GoalImage:
    """Read an image that someone sent, of the usual formats only: Pillow knows stranger ones.

    Raises:
        ImageError: It is no image of these formats, cut off, or too large.
    """
    return read_image_file(io.BytesIO(data), "the file", size, SENT_FORMATS)


def read_image_file(
    source: Path | io.BytesIO, name: str, size: int, formats: tuple[str, ...] | None = None
) -> GoalImage:
    """Read an image file.

    Args:
        source: The file, or its bytes.
        name: What an error message calls it.
        size: Width and height of the goal image in pixels.
        formats: Formats to try, by Pillow's names; by default all that it knows.

    Raises:
        ImageError: It is no image, cut off, or too large.
    """
    usual_limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings(), one_large_image():
        warnings.simplefilter("ignore")  # Pillow's, about metadata of cameras
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(source, formats=formats) as file:
                width, height = file.size
                check_size(file, usual_limit)
                return decoded(file, size, (width, height))
        except BOMBS as error:
            reason = " ".join(str(error).split())
            raise ImageError(
                f"{name} is too large to decode ({reason}): give it as JPEG, of at most "
                f"{MAX_PIXELS // 10**6} megapixels"
            ) from error
        except UNREADABLE as error:
            is_unknown = isinstance(error, UnidentifiedImageError)
            reason = "unknown format" if is_unknown else " ".join(str(error).split())
            raise ImageError(
                f"{name} can't be read as an image ({reason}): give a complete PNG or JPEG file"
            ) from error


def decoded(file: Image.Image, size: int, file_size: tuple[int, int]) -> GoalImage:
    """Decode an opened file: its first frame, upright, in RGB, its middle square.

    Args:
        file: The opened file. A large JPEG decodes at a part of its size.
        size: Width and height of the result, pixels.
        file_size: Width and height of the image in the file, pixels.
    """
    known, changes = goal_state(file), list[str]()
    width, height = file_size
    if getattr(file, "n_frames", 1) > 1:
        changes.append("took its first frame")
        file.seek(0)
    orientation = file.getexif().get(ExifTags.Base.Orientation)
    if orientation in TURNED:
        changes.append("turned it as its EXIF tag says")
    if orientation in QUARTER_TURNED:
        width, height = height, width
    image = reduced(file, rgb_converter(file, changes))
    if orientation in TURNED:
        image.getexif()[ExifTags.Base.Orientation] = orientation
        image = ImageOps.exif_transpose(image)
    side = min(width, height)
    if width != height:
        changes.append(f"cropped {width} x {height} to its middle square")
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
    with complete_file(path) as partial:
        image.save(partial, "PNG", pnginfo=chunks)


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


def rgb_converter(
    image: Image.Image, changes: list[str]
) -> Callable[[Image.Image], Image.Image]:
    """Return what converts parts of an image to 8-bit RGB, with white where it is transparent.

    Args:
        image: Decides how; floats are in [0, 1] or in [0, 255].
        changes: Gets what the conversion does, in words.
    """
    if image.mode.startswith(("I", "F")):
        changes.append("converted deep grey to 8-bit RGB")
        white = float(WHITE_16_BIT)
        if image.mode.startswith("F"):
            white = 1.0 if np.nanmax(np.asarray(image)) <= 1 else 255.0
        return partial(deep_grey_to_rgb, white=white)
    if image.has_transparency_data:
        changes.append("put it on white")
        return on_white
    if image.mode != "RGB":
        changes.append(f"converted its mode {image.mode} to RGB")
    return to_rgb


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image in 8-bit RGB."""
    return image.convert("RGB")


def on_white(image: Image.Image) -> Image.Image:
    """Return an image in 8-bit RGB, with white where it is transparent."""
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def deep_grey_to_rgb(image: Image.Image, white: float) -> Image.Image:
    """Convert grey of 16 or 32 bits, or of floats, to 8-bit RGB."""
    grey = np.asarray(image).astype(np.float64)
    scaled = np.rint(255 * np.clip(np.nan_to_num(grey / white), 0, 1))
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
