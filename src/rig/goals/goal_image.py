"""Pictures that a person gives: any file that Pillow reads, brought to the camera's shape.

A goal picture taken by ``rig look --goal`` carries the true state that it shows in a text chunk
of the PNG. It is for measuring only: the robot is given the picture, and nothing else.
"""

import json
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from rig.envs.square_crop import center_crop, resize
from rig.errors import ImageError


GOAL_STATE_KEY = "rig:goal_state"
"""The text chunk that holds the task and the true state, as JSON."""
MOST_BYTES = 1 << 28
"""Of a picture's file: more than any camera makes."""
FULL_WHITE_16_BIT = 65_535
UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError),
    *(AttributeError, MemoryError, struct.error, zlib.error, Image.DecompressionBombError),
)
"""What Pillow raises at a file that is no picture, is cut off, or is a decompression bomb."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GoalImage:
    """A goal picture in the camera's shape."""

    image: UInt8[np.ndarray, "H W 3"]
    changes: tuple[str, ...]
    """What had to be done to it, in words; nothing for a picture of the camera's own."""
    task: str | None
    """The task that ``rig look`` took it of, if it did."""
    state: Float64[np.ndarray, " state"] | None
    """The true state that it shows, if it is known."""
    seed: int = 0
    """Of the start that it can be reached from, where starts differ."""


def read_goal_image(path: Path, size: int) -> GoalImage:
    """Reads a picture of any size and mode as RGB of ``size`` times ``size`` pixels.

    Raises:
        ImageError: The file is missing, no picture, cut off, or far too large.
    """
    if not path.is_file():
        raise ImageError(f"{path} is no file: give a picture, as `rig look --goal` makes one")
    if path.stat().st_size > MOST_BYTES:
        raise ImageError(f"{path} has {path.stat().st_size:,} bytes: give a smaller picture")
    changes: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about what a camera wrote beside the pixels
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path) as opened:
                known = goal_state(opened)
                picture = to_square(to_rgb(upright(opened, changes), changes), size, changes)
        except (*UNREADABLE, Image.DecompressionBombWarning) as error:
            reason = " ".join(str(error).split())
            raise ImageError(
                f"{path} can't be read as a picture ({reason}): give a whole PNG or JPEG file"
            ) from error
    return GoalImage(image=np.asarray(picture), changes=tuple(changes), **known)


def save_goal_image(
    path: Path, picture: Image.Image, task: str, state: list[float], seed: int = 0
) -> None:
    """Writes a picture as PNG, with the state that it shows in a text chunk."""
    chunks = PngInfo()
    known = {"task": task, "state": state, "seed": seed}
    chunks.add_text(GOAL_STATE_KEY, json.dumps(known))
    picture.save(path, "PNG", pnginfo=chunks)


def goal_state(picture: Image.Image) -> dict[str, Any]:
    """The task, state and seed that a picture carries.

    None for task and state if it carries none, or what no ``rig look`` has written.
    """
    unknown = {"task": None, "state": None}
    text = picture.info.get(GOAL_STATE_KEY, "{}")
    try:
        known = json.loads(text)
        task, seed = str(known["task"]), int(known.get("seed", 0))
        state = np.asarray(known["state"], np.float64)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return unknown
    is_row = state.ndim == 1 and seed >= 0
    return {"task": task, "state": state, "seed": seed} if is_row else unknown


def upright(picture: Image.Image, changes: list[str]) -> Image.Image:
    """The first frame, turned as its EXIF tag says."""
    if getattr(picture, "n_frames", 1) > 1:
        changes.append("took its first frame")
        picture.seek(0)
    turned = ImageOps.exif_transpose(picture)
    if turned.size != picture.size or turned.tobytes() != picture.tobytes():
        changes.append("turned it as its EXIF tag says")
    return turned


def to_rgb(picture: Image.Image, changes: list[str]) -> Image.Image:
    """The picture in 8-bit RGB; what is transparent becomes white."""
    if picture.mode.startswith(("I", "F")):
        changes.append("brought deep grey to 8-bit RGB")
        return deep_grey_to_rgb(picture)
    if picture.has_transparency_data:
        changes.append("laid it on white")
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert(
            "RGB"
        )
    if picture.mode != "RGB":
        changes.append(f"brought its mode {picture.mode} to RGB")
    return picture.convert("RGB")


def deep_grey_to_rgb(picture: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or of floats in [0, 1] or [0, 255], as 8-bit RGB."""
    grey = np.asarray(picture).astype(np.float64)
    white = float(FULL_WHITE_16_BIT)
    if picture.mode.startswith("F"):
        white = 1.0 if np.nanmax(grey) <= 1 else 255.0
    scaled = np.rint(255 * np.clip(np.nan_to_num(grey / white), 0, 1))
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")


def to_square(picture: Image.Image, size: int, changes: list[str]) -> Image.Image:
    """The middle square of a picture, at the camera's size."""
    side = min(picture.size)
    if picture.width != picture.height:
        changes.append(f"cropped {picture.width} x {picture.height} to its middle square")
        picture = center_crop(picture)
    if side != size:
        changes.append(f"resized {side} x {side} to {size} x {size}")
        picture = resize(picture, size)
    return picture
