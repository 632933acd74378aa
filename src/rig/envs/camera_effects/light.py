"""The light of a real camera's images: what changes slowly, one row of numbers per camera.

Room light drifts, and now and then a lamp or a cloud changes it at once. Auto exposure follows
what it measures with a lag, so that a still corner swings by 8 grey levels within two seconds,
and rarely by 17. White balance drifts, too. Somebody's shadow passes by.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float64


ROOM_STD, ROOM_LAG_S = 0.03, 2.5
"""Spread of the logarithm of the room's light, and how long it stays the same."""
JUMP_STD, JUMP_LAG_S, JUMP_EVERY_S = 0.06, 4.0, 60.0
"""Size of a lamp's or a cloud's change, how long it lasts, and how often it comes."""
EXPOSURE_LAG_S, EXPOSURE_SHARE = 0.8, 0.8
"""How fast auto exposure follows, and how much of a change it takes back in the end."""
BALANCE_STD, BALANCE_LAG_S, BALANCE_MOST = 0.02, 20.0, 0.04
"""White balance: red and blue, each against green."""
PASSING_EVERY_S, PASSING_S = 30.0, 3.0
"""How often somebody's shadow passes, and how long it takes."""
PASSING_DEPTH = (0.1, 0.3)
"""How much light it takes away in its middle."""
NUM_NORMALS, NUM_UNIFORMS = 4, 3

Values = Float64[np.ndarray, " N"]


@dataclass(frozen=True, kw_only=True)
class Light:
    """The light of N cameras, each value an array [N]."""

    room: Values
    """Logarithm of the room's light."""
    jump: Values
    """Logarithm of a sudden change, which fades."""
    exposure: Values
    """Logarithm of the camera's own gain."""
    measured: Values
    """Logarithm of the brightness that the camera measured last, without its gain."""
    red: Values
    blue: Values
    """Logarithm of the gain of red and of blue."""
    passing: Values
    """Where the passing shadow is in its cycle, in [0, 1)."""
    angle_rad: Values
    """The direction in which it passes."""
    depth: Values
    """How much light it takes away."""

    @classmethod
    def draw(cls, num: int, *, rng: np.random.Generator) -> "Light":
        """Draw the light of cameras that have been on for long."""
        normal, uniform = chance(num, rng=rng)
        zeros = np.zeros(num)
        return cls(
            room=ROOM_STD * normal[0],
            jump=zeros,
            exposure=zeros,
            measured=zeros,
            red=BALANCE_STD * normal[1],
            blue=BALANCE_STD * normal[2],
            passing=uniform[0],
            angle_rad=2 * np.pi * uniform[1],
            depth=PASSING_DEPTH[0] + (PASSING_DEPTH[1] - PASSING_DEPTH[0]) * uniform[2],
        )

    def after(self, seconds: float, *, rng: np.random.Generator) -> "Light":
        """Return the light some time later."""
        num = len(self.room)
        normal, uniform = chance(num, rng=rng)
        begins = uniform[0] < seconds / JUMP_EVERY_S
        passing = self.passing + seconds / PASSING_EVERY_S
        is_new = passing >= 1
        fresh = PASSING_DEPTH[0] + (PASSING_DEPTH[1] - PASSING_DEPTH[0]) * uniform[2]
        wanted = -EXPOSURE_SHARE * self.measured
        return Light(
            room=drifted(self.room, ROOM_STD, ROOM_LAG_S, seconds, normal[0]),
            jump=np.exp(-seconds / JUMP_LAG_S) * self.jump + begins * JUMP_STD * normal[3],
            exposure=wanted + np.exp(-seconds / EXPOSURE_LAG_S) * (self.exposure - wanted),
            measured=self.measured,
            red=drifted(self.red, BALANCE_STD, BALANCE_LAG_S, seconds, normal[1]),
            blue=drifted(self.blue, BALANCE_STD, BALANCE_LAG_S, seconds, normal[2]),
            passing=passing % 1,
            angle_rad=np.where(is_new, 2 * np.pi * uniform[1], self.angle_rad),
            depth=np.where(is_new, fresh, self.depth),
        )

    def with_measured(self, brightness: Values, is_settled: bool) -> "Light":
        """Return the light after the camera has measured it.

        Args:
            brightness: Logarithm of each image's brightness, but for the room's light.
            is_settled: Whether exposure has had its time to follow.
        """
        measured = brightness + self.room + self.jump
        exposure = -EXPOSURE_SHARE * measured if is_settled else self.exposure
        return replace(self, measured=measured, exposure=exposure)

    def columns(self) -> Float64[np.ndarray, "N values"]:
        """Return all values, one column each."""
        return np.stack([getattr(self, entry.name) for entry in fields(self)], axis=1)

    @classmethod
    def of_columns(cls, columns: Float64[np.ndarray, "N values"]) -> "Light":
        """Return the light that :meth:`columns` gave."""
        names = [entry.name for entry in fields(cls)]
        return cls(**dict(zip(names, columns.T.copy(), strict=True)))


def chance(
    num: int, *, rng: np.random.Generator
) -> tuple[Float64[np.ndarray, "normals N"], Float64[np.ndarray, "uniforms N"]]:
    """Draw normal and uniform numbers, the same for the first cameras whatever their number."""
    drawn = rng.random((num, 2 * NUM_NORMALS + NUM_UNIFORMS)).T
    radius = np.sqrt(-2 * np.log1p(-drawn[:NUM_NORMALS]))
    turns = drawn[NUM_NORMALS : 2 * NUM_NORMALS]
    return radius * np.cos(2 * np.pi * turns), drawn[2 * NUM_NORMALS :]


def drifted(value: Values, std: float, lag_s: float, seconds: float, normal: Values) -> Values:
    """Return an Ornstein-Uhlenbeck process some time later."""
    kept = np.exp(-seconds / lag_s)
    return kept * value + std * np.sqrt(1 - kept**2) * normal
