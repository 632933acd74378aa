"""Episodes of a real robot, each in a file of its own as soon as it ends.

A robot's time is dear. What it did after the last checkpoint is not lost when the learner is
killed: a run that resumes adds the kept episodes to what it restores.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rig.runs.array_files import ArraySpec, array_bytes, load_arrays
from rig.runs.atomic_files import atomic_write
from rig.runs.run import Run
from rig.types import Collected, Episodes


FOLDER = "episodes"
ROWS = {
    "images": ArraySpec(None, np.dtype(np.uint8)),
    "actions": ArraySpec((None, None), np.dtype(np.float32)),
    "num_steps": ArraySpec((None,), np.dtype(np.int64)),
}


class KeptEpisodes:
    """The folder ``episodes`` of a run, with files ``PHASE-STEPS.safetensors``."""

    def __init__(self, run: Run) -> None:
        self._folder = run.directory / FOLDER
        self._is_used = bool(run.config.robot)

    def keep_collected(self, before: Collected | None, after: Collected) -> None:
        """Keep what was collected since ``before``."""
        first, steps, episodes = (0, 0, 0)
        if before is not None:
            first, steps, episodes = len(before), len(before.actions), len(before.num_steps)
        arrays = (after.images[first:], after.actions[steps:], after.num_steps[episodes:])
        self._keep("collect", len(after), *arrays)

    def keep(self, episodes: Episodes, num_env_steps: int) -> None:
        """Keep the episodes of practice that ended after that many steps of the run."""
        self._keep(
            "practice", num_env_steps, episodes.frames, episodes.actions, episodes.num_steps
        )

    def collected(self) -> Collected | None:
        """Return all that was collected; None if nothing is kept."""
        parts = [load_arrays(path, ROWS) for path in self._files("collect")]
        if not parts:
            return None
        return Collected(**{name: np.concatenate([p[name] for p in parts]) for name in ROWS})

    def practised_after(self, num_env_steps: int) -> Iterator[tuple[int, Collected]]:
        """Yield later episodes of practice, with the steps of the run at their end."""
        for path in self._files("practice"):
            steps = int(path.stem.rpartition("-")[2])
            if steps > num_env_steps:
                yield steps, Collected(**load_arrays(path, ROWS))

    def _keep(
        self, phase: str, num: int, images: np.ndarray, actions: np.ndarray, lengths: np.ndarray
    ) -> None:
        if not self._is_used or not len(lengths):
            return
        self._folder.mkdir(exist_ok=True)
        arrays = {"images": images, "actions": actions, "num_steps": lengths}
        path = self._folder / f"{phase}-{num:08d}.safetensors"
        atomic_write(path, array_bytes(arrays))

    def _files(self, phase: str) -> list[Path]:
        return sorted(self._folder.glob(f"{phase}-*.safetensors"))
