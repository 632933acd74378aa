"""A dot on a plane: an environment that is none of rig's own, for ``parity.py``."""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces


SIDE = 64
DOT_SIDE = 9
SPEED = 0.06
"""Of the plane's side, per step."""
NUM_STEPS = 25


class Dot(gymnasium.Env[np.ndarray, np.ndarray]):
    """A red dot that an action moves, seen from above."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 25}

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = spaces.Box(0, 255, (SIDE, SIDE, 3), np.uint8)
        self._place = np.full(2, 0.5)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Put the dot somewhere near the middle."""
        super().reset(seed=seed)
        self._place = self.np_random.uniform(0.3, 0.7, 2)
        return self.render(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Move the dot, as far as the plane goes."""
        self._place = np.clip(self._place + SPEED * np.asarray(action, float), 0, 1)
        return self.render(), 0.0, False, False, {}

    def render(self) -> np.ndarray:
        """Draw the dot on the plane."""
        image = np.full((SIDE, SIDE, 3), 230, np.uint8)
        row, column = (self._place * (SIDE - DOT_SIDE)).astype(int)
        image[row : row + DOT_SIDE, column : column + DOT_SIDE] = (200, 30, 30)
        return image


gymnasium.register("Parity/Dot-v0", entry_point=Dot, max_episode_steps=NUM_STEPS)
