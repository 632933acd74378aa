"""Exploration: noise on the policy's actions, and a random policy."""

import numpy as np
from jaxtyping import Float32

from rig.config import ExploreConfig, decided


Actions = Float32[np.ndarray, "N action"]


class Noise:
    """Exploration noise of N environments: Gaussian or Ornstein-Uhlenbeck, and random actions.

    Sources: Uhlenbeck and Ornstein 1930, as used by Lillicrap et al. 2016, section 7; repeated
    random actions after Dabney et al. 2021, "Temporally-Extended epsilon-Greedy Exploration",
    with geometric durations.
    """

    def __init__(self, num_envs: int, action_size: int, config: ExploreConfig) -> None:
        self._config = config
        self._noise = np.zeros((num_envs, action_size), np.float32)
        self._random = np.zeros((num_envs, action_size))
        self._was_random = np.zeros((num_envs, 1), bool)
        self._is_first = True

    def reset(self) -> None:
        """Begin an episode: no noise, and no random action to repeat."""
        self._noise[:] = 0
        self._was_random[:] = False
        self._is_first = True

    def add_to(self, action: Actions, *, rng: np.random.Generator) -> Actions:
        """Return noisy actions, clipped to [-1, 1].

        A fraction ``random_eps`` is replaced by uniformly random actions, each repeated for
        ``random_duration`` steps on average.
        """
        fresh = self._config.sigma * rng.standard_normal(action.shape, dtype=np.float32)
        is_correlated = self._config.kind == "ornstein_uhlenbeck"
        self._noise = (1 - self._config.theta) * self._noise + fresh if is_correlated else fresh
        noisy = np.clip(action + self._noise, -1, 1)
        eps, duration = self._config.random_eps, decided(self._config.random_duration)
        # Of a random action where none is repeated: a fraction of eps is random at each step.
        begin = eps if self._is_first else eps / (duration * (1 - eps) + eps)
        self._is_first = False
        repeat = np.where(self._was_random, 1 - 1 / duration, 0)
        drawn = rng.random((len(action), 1))
        self._was_random = drawn < repeat + (1 - repeat) * begin
        uniform = rng.uniform(-1, 1, size=action.shape)
        self._random = np.where(drawn < repeat, self._random, uniform)
        return np.where(self._was_random, self._random, noisy).astype(np.float32)


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
