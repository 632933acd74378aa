"""The last round of practice as one image, for a page that watches; nobody else pays for it.

A page that watches a run keeps ``RUN/live/watched`` fresh. While it is, each round is drawn to
``RUN/live/round.png``: a row for each environment, with its imagined goal and then its frames.
Nothing is drawn by chance here and nothing is read back, so that a run ends with the same bytes
whether it is watched or not.
"""

import io
import json
import os
from contextlib import suppress
from pathlib import Path
from time import time

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rig.representation.representation import Representation
from rig.types import Episodes


LIVE, WATCHED, ROUND = "live", "watched", "round.png"
ABOUT_KEY = "rig:round"
"""The text chunk that says what is in the image, as JSON."""
FRESH_S = 10.0
"""A page renews its file more often than this."""
MAX_ENVS, MAX_FRAMES = 8, 51
"""An image holds no more; of longer episodes, evenly spaced frames."""

Images = UInt8[np.ndarray, "N H W 3"]


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


def publish_round(
    directory: Path,
    representation: Representation,
    episodes: Episodes,
    num_env_steps: int,
    step_s: float,
) -> None:
    """Draw the first episodes of a round, if a page watches the run."""
    if representation.needs_true_state or not is_watched(directory):
        return
    num = min(MAX_ENVS, len(episodes))
    rows = frame_rows(episodes, num)
    goals = representation.decode(episodes.goals[:num])
    frames = episodes.frames[rows]
    about = {
        "num_env_steps": num_env_steps,
        "num_worlds": num,
        "num_frames": frames.shape[1],
        "step_s": step_s * float(episodes.num_steps[:num].max()) / max(frames.shape[1] - 1, 1),
        "size": frames.shape[2],
    }
    cells = np.concatenate([goals[:, None], frames], axis=1)
    with suppress(OSError):  # a full disk is reported by what must be written
        write_round(directory / LIVE / ROUND, cells, about)


def frame_rows(episodes: Episodes, num: int) -> np.ndarray:
    """Return the rows of evenly spaced frames of the first episodes, shape [num, frames]."""
    num_frames = min(MAX_FRAMES, int(episodes.num_steps[:num].max()) + 1)
    starts = episodes.last_rows[:num] - episodes.num_steps[:num]
    return np.linspace(starts, episodes.last_rows[:num], num_frames).round().astype(int).T


def write_round(
    path: Path,
    cells: UInt8[np.ndarray, "rows columns H W 3"],
    about: dict[str, float],
) -> None:
    """Write the image so that no reader sees half of it; a crash may lose it."""
    rows, columns, height, width, _ = cells.shape
    sheet = cells.swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    chunks, written = PngInfo(), io.BytesIO()
    chunks.add_text(ABOUT_KEY, json.dumps(about))
    Image.fromarray(sheet).save(written, "PNG", compress_level=1, pnginfo=chunks)
    temporary = path.with_suffix(".new")
    temporary.write_bytes(written.getvalue())
    os.replace(temporary, path)
