"""The files of ``RUN/live``: that a page watches a run, and the image of its last round.

A page that watches a run keeps ``RUN/live/watched`` fresh. While it is, each round of practice
is drawn to ``RUN/live/round.png``: a row for each environment, with its imagined goal and then
its frames.
"""

import io
import json
import os
from contextlib import suppress
from pathlib import Path
from time import time

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo


LIVE, WATCHED, ROUND = "live", "watched", "round.png"
ABOUT_KEY = "rig:round"
"""The text chunk that says what is in the image, as JSON."""
FRESH_S = 10.0
"""A page renews its file more often than this."""
MAX_ENVS, MAX_FRAMES = 8, 51
"""An image holds no more; of longer episodes, evenly spaced frames."""


def is_watched(directory: Path) -> bool:
    """Return whether a page watches a run now."""
    try:
        return time() - (directory / LIVE / WATCHED).stat().st_mtime < FRESH_S
    except OSError:
        return False


def keep_watching(directory: Path) -> None:
    """Tell whatever trains a run that a page watches it, for the next seconds."""
    with suppress(OSError):  # a run that only others may write to can't be watched live
        (directory / LIVE).mkdir(exist_ok=True)
        (directory / LIVE / WATCHED).touch()


def write_round(path: Path, cells: np.ndarray, about: dict[str, float]) -> None:
    """Write the image so that no reader sees half of it; a crash may lose it.

    Args:
        path: The file.
        cells: Images of 8 bits, shape [rows, columns, H, W, 3].
        about: What the image shows, as numbers.
    """
    rows, columns, height, width, _ = cells.shape
    sheet = cells.swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    chunks, written = PngInfo(), io.BytesIO()
    chunks.add_text(ABOUT_KEY, json.dumps(about))
    Image.fromarray(sheet).save(written, "PNG", compress_level=1, pnginfo=chunks)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(written.getvalue())
    os.replace(temporary, path)
