"""The last round of practice as one image, for a page that watches; nobody else pays for it.

Nothing is drawn by chance here and nothing is read back, so that a run ends with the same bytes
whether it is watched or not.
"""

from contextlib import suppress
from pathlib import Path

import numpy as np

from rig.representation.representation import Representation
from rig.runs.live_files import LIVE, MAX_ENVS, MAX_FRAMES, ROUND, is_watched, write_round
from rig.types import Episodes


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
