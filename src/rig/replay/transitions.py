"""Transitions as the buffer samples them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from rig.types import Latents


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledTransitions:
    """Transitions as they happened, each with a latent reached later in its episode."""

    latent: Latents
    action: Float32[np.ndarray, "B action"]
    next_latent: Latents
    next_log_std: Float32[np.ndarray, "B _"]
    goal: Latents
    """The goal of the episode."""
    future_latent: Latents
    """A latent reached later in the same episode; the next latent is one of them."""
    next_row: Int[np.ndarray, " B"]
    """The row of the next frame."""
    num_left: Int[np.ndarray, " B"]
    """Steps to the end of the episode, the one to the next latent included: at least 1."""

    def __len__(self) -> int:
        return len(self.latent)
