"""Images as bytes for the browser."""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

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
