"""The records that pass between the parts, with shapes in their types.

Axes, everywhere in this order::

    N        environments, or episodes collected side by side
    B        rows of a batch
    T        actions of an episode; it has T + 1 frames
    H W 3    a camera image, RGB
    latent   values of a latent; a goal is always a latent. Where the agent sees images
             themselves, a latent is an image: its pixels in a row, uint8
    action   values of an action, each in [-1, 1]
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, UInt8


Latents = Float32[np.ndarray, "B latent"] | UInt8[np.ndarray, "B latent"]
"""Rows of latents."""
Parts = Float32[np.ndarray, "things latent latent"]
"""What each thing adds to a latent, a matrix each (``representation/things.py``)."""
Goals = Float32[np.ndarray, "N latent"] | UInt8[np.ndarray, "N latent"]
"""The goal of each environment, or of each episode: a latent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """The posterior of each frame: a Gaussian over latents."""

    latent: Latents
    """The posterior's mean, which is the frame's latent."""
    log_std: Float32[np.ndarray, "B _"]
    """The logarithm of the posterior's standard deviation; no column where a latent is an
    image, which is certain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollouts:
    """N rollouts, row after row: each has T actions between T + 1 frames, and its own T."""

    num_steps: Int[np.ndarray, " N"]
    """Each rollout's T, at least 1."""
    actions: Float32[np.ndarray, "actions action"]
    """The actions that were taken, noise included."""
    frames: np.ndarray
    """What was observed: images ``[rows, H, W, 3]`` uint8 (the oracle: true states)."""
    env_indices: Int[np.ndarray, " N"]
    """The environment of each rollout."""

    def __len__(self) -> int:
        return len(self.num_steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """The frames collected before the first fit, and their episodes, if they have any."""

    images: np.ndarray
    """All frames; those of an episode are T + 1 in a row."""
    actions: Float32[np.ndarray, "actions action"]
    """The actions between the frames of episodes."""
    num_steps: Int[np.ndarray, " N"]
    """Each episode's T; none where states were set and no step was taken."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def rows_with_action(self) -> Int[np.ndarray, " actions"]:
        """The rows of frames that another frame of their episode follows."""
        last_rows = np.cumsum(self.num_steps + 1) - 1
        return np.setdiff1d(np.arange(len(self.images)), last_rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return its arrays by name."""
        return {name: getattr(self, name) for name in ("images", "actions", "num_steps")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Episodes:
    """Rollouts as the buffer takes them: encoded, and with their goals."""

    num_steps: Int[np.ndarray, " N"]
    """Each episode's T, at least 1."""
    actions: Float32[np.ndarray, "actions action"]
    """The actions that were taken, noise included."""
    frames: np.ndarray
    """What was observed, as in :class:`Rollouts`."""
    encoding: Encoding
    """The latents of the frames."""
    goals: Goals
    """The goal of each episode."""

    def __len__(self) -> int:
        return len(self.num_steps)

    @property
    def last_rows(self) -> Int[np.ndarray, " N"]:
        """The row of each episode's last frame."""
        return np.cumsum(self.num_steps + 1) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Transitions as the learner takes them, each with a goal and the reward it implies."""

    latent: Latents
    action: Float32[np.ndarray, "B action"]
    next_latent: Latents
    goal: Latents
    reward: Float32[np.ndarray, " B"]

    def __len__(self) -> int:
        return len(self.reward)
