"""Bounds of a robot's actions: from [-1, 1], in which policies act, to its units and back."""

from typing import Any

import numpy as np
from gymnasium import spaces
from jaxtyping import Float32

from rig.errors import ConfigError, DivergedError, ExternalEnvError


Actions = Float32[np.ndarray, "*N action"]
LARGEST = 2.0**53
"""Whole numbers beyond this are not exact, and such bounds stand for none."""
Commands = np.ndarray
"""Actions in the robot's units: the shape of its box, with a batch's size before it."""


class ActionBounds:
    """A box of actions. Its middle is 0, which is mostly no motion."""

    def __init__(self, low: Any, high: Any, dtype: Any = np.float64) -> None:
        """Make bounds in the robot's units.

        Args:
            low: The lowest value of each dimension.
            high: The highest.
            dtype: The number type of the robot's actions.

        Raises:
            ConfigError: They are not finite, not of one shape, or low is above high.
        """
        lows, highs = np.asarray(low, np.float64), np.asarray(high, np.float64)
        if lows.shape != highs.shape or not lows.size or not (lows <= highs).all():
            raise ConfigError(f"low {low} must be at most high {high}, one for each dimension")
        if not (np.isfinite(lows).all() and np.isfinite(highs).all()):
            raise ConfigError(f"bounds must be finite, got {low} and {high}")
        self.low, self.high, self.dtype = lows, highs, np.dtype(dtype)

    @classmethod
    def of(cls, space: spaces.Space[Any]) -> "ActionBounds":
        """Return the bounds of an action space.

        Raises:
            ExternalEnvError: It is not a bounded box.
        """
        if not isinstance(space, spaces.Box):
            raise ExternalEnvError(
                f"its actions are {type(space).__name__}, and rig learns continuous ones: use "
                "an environment whose action space is a Box"
            )
        ends = np.stack([space.low, space.high]).astype(np.float64)
        if not (ends.size and np.isfinite(ends).all() and (abs(ends) <= LARGEST).all()):
            raise ExternalEnvError(
                f"its action space {space} has no bounds: wrap it in "
                "gymnasium.wrappers.ClipAction or RescaleAction, and register that"
            )
        return cls(space.low, space.high, space.dtype)

    @property
    def size(self) -> int:
        """Number of dimensions of an action."""
        return self.low.size

    def to_units(self, actions: Actions) -> Commands:
        """Scale actions to the robot's units, inside the bounds to the last bit.

        Whole numbers become the nearest ones: a plain cast would cut them off.

        Args:
            actions: One action, or a batch, in [-1, 1]; what is outside is clipped.

        Raises:
            DivergedError: An action is not finite.
            ConfigError: It has another number of dimensions.
        """
        wanted = np.asarray(actions, np.float64)
        if wanted.shape[-1:] != (self.size,):
            raise ConfigError(f"actions of shape {wanted.shape}, and the robot has {self.size}")
        if not np.isfinite(wanted).all():
            raise DivergedError(f"an action is not finite: {wanted.tolist()}")
        share = (np.clip(wanted, -1, 1) + 1) / 2
        share = share.reshape((*wanted.shape[:-1], *self.low.shape))
        commands = self.low + share * (self.high - self.low)
        if not np.issubdtype(self.dtype, np.floating):
            commands = np.rint(commands)
        low, high = self.low.astype(self.dtype), self.high.astype(self.dtype)
        return np.asarray(np.clip(commands.astype(self.dtype), low, high), self.dtype)

    def from_units(self, commands: Commands) -> Actions:
        """Scale actions in the robot's units to [-1, 1], clipped; 0 where a bound is both."""
        given = np.asarray(commands, np.float64)
        width = self.high - self.low
        share = np.divide(given - self.low, width, np.full_like(given, 0.5), where=width > 0)
        batch = given.shape[: given.ndim - self.low.ndim]
        return np.clip(2 * share - 1, -1, 1).reshape(*batch, self.size).astype(np.float32)
