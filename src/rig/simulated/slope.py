"""A tray whose sides slope, so that a puck at the rim slides back to where the arm can push it.

Only the pull along the slope is simulated. The puck is drawn as if it lay flat, though it would
rise by up to 15 mm, and the tool has to pass above the slope.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from rig.errors import ConfigError


TRAY_MIDDLE_M = (0.24, 0.0)
TRAY_M = (0.10, 0.13)
"""Half the inside of the tray: x, y."""
SLOPE_DEG = 20.0
"""The puck begins to slide at 16."""
PUCK_N = 0.03 * 9.81
"""Weight of the puck."""


class Slope:
    """The sides of a tray."""

    def __init__(self, flat_m: Sequence[float]) -> None:
        """Begin the slope where the flat part ends.

        Args:
            flat_m: Half of the flat part in the middle of the tray: x, y.

        Raises:
            ConfigError: It is no part of the tray.
        """
        if len(flat_m) != 2 or not all(
            0 < flat <= tray for flat, tray in zip(flat_m, TRAY_M, strict=True)
        ):
            raise ConfigError(
                f"flat_m is half of the tray's flat part, x and y, at most {list(TRAY_M)} m, "
                f"got {list(flat_m)}"
            )
        self._flat_m = np.array(flat_m, float)

    def pull_n(self, puck_m: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "2"]:
        """Return the force along the slope on a puck: x, y. In a corner both sides pull."""
        offset_m = puck_m - TRAY_MIDDLE_M
        is_on_it = (np.abs(offset_m) > self._flat_m) & (np.abs(offset_m) < TRAY_M)
        pull_n = PUCK_N * np.sin(np.deg2rad(SLOPE_DEG))
        return np.where(is_on_it, -np.sign(offset_m) * pull_n, 0.0)
