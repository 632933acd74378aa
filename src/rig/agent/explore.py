"""Noise on the actions of practice."""

import numpy as np
from jaxtyping import Float32

from rig.config import ExploreConfig


Actions = Float32[np.ndarray, "N action"]


class Noise:
    """Exploration noise of N worlds, with what it must remember between steps.

    Source: Uhlenbeck and Ornstein 1930, as used by Lillicrap et al. 2016, section 7.
    """

    def __init__(self, num_envs: int, action_size: int, config: ExploreConfig) -> None:
        self._config = config
        self._noise = np.zeros((num_envs, action_size), np.float32)

    def reset(self) -> None:
        """Forgets the last noise: an episode begins."""
        self._noise[:] = 0

    def add_to(self, action: Actions, *, rng: np.random.Generator) -> Actions:
        """The actions with noise on them, still in [-1, 1]."""
        fresh = self._config.sigma * rng.standard_normal(action.shape, dtype=np.float32)
        lasts = self._config.kind == "ornstein_uhlenbeck"
        self._noise = (1 - self._config.theta) * self._noise + fresh if lasts else fresh
        noisy = np.clip(action + self._noise, -1, 1)
        is_random = rng.random((len(action), 1)) < self._config.random_eps
        uniform = rng.uniform(-1, 1, size=action.shape)
        return np.where(is_random, uniform, noisy).astype(np.float32)


class RandomPolicy:
    """Random actions that wander: each is partly the one before it."""

    def __init__(self, num_envs: int, action_size: int, action_correlation: float) -> None:
        self._correlation = action_correlation
        self._drive = np.zeros((num_envs, action_size), np.float32)

    def reset(self, *, rng: np.random.Generator) -> None:
        """Draws a fresh direction: an episode begins."""
        self._drive = rng.standard_normal(self._drive.shape, dtype=np.float32)

    def act(self, *, rng: np.random.Generator) -> Actions:
        """The next actions, in [-1, 1]; the drive behind them keeps variance 1."""
        fresh = rng.standard_normal(self._drive.shape, dtype=np.float32)
        keep = self._correlation
        self._drive = (keep * self._drive + np.sqrt(1 - keep**2) * fresh).astype(np.float32)
        return np.clip(self._drive, -1, 1)
