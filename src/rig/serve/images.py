"""Images as bytes for the browser."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rig.goals.goal_image import UNREADABLE
from rig.runs.live_files import ABOUT_KEY, LIVE, MAX_ENVS, MAX_FRAMES, ROUND
from rig.serve.errors import not_found


PNG_START = b"\x89PNG\r\n\x1a\n"
MAX_GRID_BYTES = 1 << 24


def png(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Return an image as PNG, compressed a little: what the robot sees is shown exactly."""
    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG", compress_level=1)
    return written.getvalue()


def jpeg(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Return a large image, for people only, as JPEG."""
    written = io.BytesIO()
    Image.fromarray(image).save(written, "JPEG", quality=88)
    return written.getvalue()


def read_png(path: Path, inside: Path) -> bytes:
    """Return the bytes of a PNG file that lies, links followed, inside a directory.

    Raises:
        RequestError: There is none.
    """
    try:
        place = path.resolve(strict=True)
        if place.is_relative_to(inside.resolve()) and place.stat().st_size <= MAX_GRID_BYTES:
            data = place.read_bytes()
            if data.startswith(PNG_START):
                return data
    except OSError:
        pass
    raise not_found("no_image", "there is no such image")


def read_round(directory: Path) -> tuple[dict[str, Any], bytes]:
    """Return what is in the image of a run's last round, and the image.

    Raises:
        RequestError: There is none, or it is not what training writes.
    """
    data = read_png(directory / LIVE / ROUND, directory)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as file:
            about, size = json.loads(file.info[ABOUT_KEY]), file.size
        whole = ("num_env_steps", "num_worlds", "num_frames", "size")
        numbers = {name: int(about[name]) for name in whole} | {
            "step_s": float(about["step_s"])
        }
    except UNREADABLE as error:
        raise not_found("no_image", "there is no such image") from error
    num_worlds, num_frames, side = (numbers[name] for name in whole[1:])
    is_sheet = size == ((num_frames + 1) * side, num_worlds * side)
    if not (is_sheet and 0 < num_worlds <= MAX_ENVS and 0 < num_frames <= MAX_FRAMES):
        raise not_found("no_image", "there is no such image")
    return numbers, data
