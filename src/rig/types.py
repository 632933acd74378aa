"""The records that pass between the parts, with shapes in their types.

Axes, everywhere in this order::

    N        worlds, or episodes collected side by side
    B        rows of a batch
    T        actions of an episode; it has T + 1 images
    H W 3    a camera image, RGB
    latent   numbers of a latent; a goal is always a latent. Where the agent sees pictures
             itself, a latent is a picture: its pixels in a row, uint8
    action   numbers of an action, each in [-1, 1]
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, UInt8


Latents = Float32[np.ndarray, "B latent"] | UInt8[np.ndarray, "B latent"]
"""Rows of latents."""
Aims = Float32[np.ndarray, "N latent"] | UInt8[np.ndarray, "N latent"]
"""What each world, or each episode, is aimed at: a latent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """What the encoder says of each image: the posterior's mean and spread."""

    latent: Latents
    """The posterior's mean, which is the latent of the image."""
    log_std: Float32[np.ndarray, "B _"]
    """The logarithm of the posterior's standard deviation; no column where a latent is a
    picture, which is certain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rollouts:
    """N rollouts, row after row: each has T actions between T + 1 frames, and its own T."""

    num_steps: Int[np.ndarray, " N"]
    """Each rollout's T, at least 1."""
    actions: Float32[np.ndarray, "actions action"]
    """What the robot was told to do."""
    frames: np.ndarray
    """What the robot saw: images ``[rows, H, W, 3]`` uint8 (the oracle: true states)."""
    env_indices: Int[np.ndarray, " N"]
    """Which of the worlds side by side each happened in."""

    def __len__(self) -> int:
        return len(self.num_steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Episodes:
    """Rollouts as memory takes them: seen through the encoder, and aimed at goals."""

    num_steps: Int[np.ndarray, " N"]
    """Each rollout's T, at least 1."""
    actions: Float32[np.ndarray, "actions action"]
    """What the robot was told to do."""
    frames: np.ndarray
    """What the robot saw, as in :class:`Rollouts`."""
    encoding: Encoding
    """The latents of the frames."""
    goals: Aims
    """The goal that each rollout was aimed at."""

    def __len__(self) -> int:
        return len(self.num_steps)

    @property
    def last_rows(self) -> Int[np.ndarray, " N"]:
        """Where among the frames each rollout's last one is."""
        return np.cumsum(self.num_steps + 1) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Transitions as the learner takes them, each with a goal and what it implies."""

    latent: Latents
    action: Float32[np.ndarray, "B action"]
    next_latent: Latents
    goal: Latents
    reward: Float32[np.ndarray, " B"]

    def __len__(self) -> int:
        return len(self.reward)
