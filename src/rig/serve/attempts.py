"""Attempts at goals: what was seen step by step, and the video of it."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from rig.serve.errors import RequestError, not_found
from rig.serve.goals import Goal
from rig.serve.seen import Image, Seen


if TYPE_CHECKING:
    import rig.inference.reach


MAX_ATTEMPTS = 8
"""Attempts kept, with their videos."""


@dataclass(kw_only=True)
class Recording:
    """An attempt while it is made, and after."""

    goal: Goal
    task: str
    num_steps: int
    """The most steps it may take."""
    step_s: float
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    why: str = "moving"
    """moving, then how it ended: done, stopped, lost or fault."""
    images: list[Image] = field(default_factory=list)
    decoded: list[Image] = field(default_factory=list)
    latent_distances: list[float] = field(default_factory=list)
    distances: list[dict[str, float]] = field(default_factory=list)

    def add(self, seen: Seen, decoded: Image, latent_distance: float) -> None:
        """Note what was seen after a step."""
        self.images.append(seen.image)
        self.decoded.append(decoded)
        self.latent_distances.append(latent_distance)
        self.distances.append(seen.distances)

    @property
    def can_be_shown(self) -> bool:
        """Whether it has ended, and began: one that was stopped while it waited did not."""
        return self.why != "moving" and bool(self.images)

    def attempt(self) -> "rig.inference.reach.Attempt":
        """Return it as `rig reach` does."""
        from rig.inference.reach import Attempt

        names = self.distances[0]
        return Attempt(
            goal_image=self.goal.image.image,
            images=np.array(self.images),
            decoded=np.array(self.decoded),
            latent_distances=np.array(self.latent_distances, np.float32),
            distances={
                name: np.array([row.get(name, np.nan) for row in self.distances])
                for name in names
            },
            step_s=self.step_s,
        )

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        from rig.inference.reach import summary

        known = summary(self.task, self.attempt()) if self.images else {}
        return known | {
            "id": self.id,
            "run": self.goal.run,
            "goal": self.goal.id,
            "why": self.why,
            "step_s": self.step_s,
        }


class AttemptStore:
    """The last attempts; a video is made when it is first asked for."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[str, Recording] = OrderedDict()
        self._lock = Lock()
        self._video_lock = Lock()
        self._directory = TemporaryDirectory(prefix="rig-serve-")

    def add(self, recording: Recording) -> None:
        """Keep an attempt; forget the oldest one."""
        with self._lock:
            self._attempts[recording.id] = recording
            while len(self._attempts) > MAX_ATTEMPTS:
                old, _ = self._attempts.popitem(last=False)
                self._path(old).unlink(missing_ok=True)

    def all(self, run_id: str) -> list[dict[str, Any]]:
        """Return the attempts of a run that have ended, the newest first."""
        with self._lock:
            found = [a for a in self._attempts.values() if a.goal.run == run_id]
        return [a.as_json() for a in reversed(found) if a.can_be_shown]

    def get(self, attempt_id: str) -> Recording:
        """Return an attempt that has ended.

        Raises:
            RequestError: There is none of this id, or it was forgotten.
        """
        with self._lock:
            found = self._attempts.get(attempt_id)
        if found is None or not found.can_be_shown:
            raise not_found("no_attempt", "this attempt is gone")
        return found

    def video(self, attempt_id: str) -> Path:
        """Return the path of an attempt's video."""
        from rig.inference.video import attempt_frames, save_video

        recording, path = self.get(attempt_id), self._path(attempt_id)
        with self._video_lock:
            if not path.is_file():
                save_video(path, attempt_frames(recording.attempt()), step_s=recording.step_s)
        return path

    def close(self) -> None:
        """Remove the videos."""
        self._directory.cleanup()

    def _path(self, attempt_id: str) -> Path:
        return Path(self._directory.name) / f"{attempt_id}.mp4"


def busy(by: str) -> RequestError:
    """Return the error for a robot that someone else drives."""
    return RequestError(409, "busy", f"the robot is busy ({by})", "press Stop, or wait")
