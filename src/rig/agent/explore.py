"""Exploration: noise on the policy's actions, and a random policy."""

import numpy as np
from jaxtyping import Float32

from rig.config import ExploreConfig


Actions = Float32[np.ndarray, "N action"]


class Noise:
    """Exploration noise of N environments: Gaussian or Ornstein-Uhlenbeck.

    Source: Uhlenbeck and Ornstein 1930, as used by Lillicrap et al. 2016, section 7.
    """

    def __init__(self, num_envs: int, action_size: int, config: ExploreConfig) -> None:
        self._config = config
        self._noise = np.zeros((num_envs, action_size), np.float32)

    def reset(self) -> None:
        """Set the noise to 0 at the start of an episode."""
        self._noise[:] = 0

    def add_to(self, action: Actions, *, rng: np.random.Generator) -> Actions:
        """Return noisy actions, clipped to [-1, 1].

        With probability ``random_eps`` an action is replaced by a uniformly random one.
        """
        fresh = self._config.sigma * rng.standard_normal(action.shape, dtype=np.float32)
        is_correlated = self._config.kind == "ornstein_uhlenbeck"
        self._noise = (1 - self._config.theta) * self._noise + fresh if is_correlated else fresh
        noisy = np.clip(action + self._noise, -1, 1)
        is_random = rng.random((len(action), 1)) < self._config.random_eps
        uniform = rng.uniform(-1, 1, size=action.shape)
        return np.where(is_random, uniform, noisy).astype(np.float32)


class RandomPolicy:
    """Random actions, each correlated with the one before it."""

    def __init__(self, num_envs: int, action_size: int, action_correlation: float) -> None:
        self._correlation = action_correlation
        self._state = np.zeros((num_envs, action_size), np.float32)

    def reset(self, *, rng: np.random.Generator) -> None:
        """Draw a new first action at the start of an episode."""
        self._state = rng.standard_normal(self._state.shape, dtype=np.float32)

    def act(self, *, rng: np.random.Generator) -> Actions:
        """Return the next actions: a process of variance 1, clipped to [-1, 1]."""
        fresh = rng.standard_normal(self._state.shape, dtype=np.float32)
        keep = self._correlation
        self._state = (keep * self._state + np.sqrt(1 - keep**2) * fresh).astype(np.float32)
        return np.clip(self._state, -1, 1)
