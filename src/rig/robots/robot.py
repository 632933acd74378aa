"""What an adapter provides: LeRobot's ``Robot`` and ``Camera``, as far as the server uses them.

A LeRobot object fits as it is. For another arm, write a class with these names; nothing has to
be inherited or imported. ``robot.type`` in the TOML file names it: ``"my_arm:MyArm"``, made
with the keyword arguments of ``[robot.options]``.

Traps that the server takes care of, so that an adapter need not:

- It calls ``connect(calibrate=False)`` where the method takes ``calibrate``,
  else ``connect()``. It refuses to arm if ``is_calibrated`` is False; LeRobot's
  ``LeKiwiClient`` gives None.
- It decides by itself how fresh an image is: some cameras repeat their last one for ever.
- It refuses to arm if the optional ``joint_ranges_deg`` (joint name to calibrated range) is off
  by more than 5 % from the file's limits: that is another arm's calibration.
- It never calls ``calibrate``, which switches the torque off and may wait for a key.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rig.errors import ConfigError


Joints = NDArray[np.float64]
"""One number for each joint, in the order of ``arm.joints``; degrees (gripper: 0 to 100)."""
Point = NDArray[np.float64]
"""Position of the tool, metres, in the frame of the arm's base: x forward, y left, z up."""
Image = NDArray[np.uint8]
"""Height x width x 3, RGB."""

POSITION = ".pos"
"""``shoulder_pan.pos`` is a joint's position, in actions and observations."""
HEALTH = {".temperature": "C", ".current": "A", ".voltage": "V"}
"""Optional observations of a joint: ``shoulder_pan.temperature``; the guard watches them."""


class ReadError(Exception):
    """One read or write of the bus failed; ``ConnectionError`` counts alike."""


@runtime_checkable
class Robot(Protocol):
    """An arm in LeRobot's shape. No method may block for more than 20 ms, but ``connect``."""

    name: str

    @property
    def observation_features(self) -> Mapping[str, Any]:
        """Return each observation's type: ``float``, or the shape of an image."""
        ...

    @property
    def action_features(self) -> Mapping[str, Any]:
        """Return each action's type: ``{"shoulder_pan.pos": float, ...}``."""
        ...

    @property
    def is_connected(self) -> bool:
        """Return whether the arm answers."""
        ...

    @property
    def is_calibrated(self) -> bool | None:
        """Return whether positions mean degrees; None if it is not known."""
        ...

    def connect(self, calibrate: bool = True) -> None:
        """Open the arm and its cameras. The arm holds its pose."""
        ...

    def configure(self) -> None:
        """Set gains and the like; called by ``connect``."""
        ...

    def get_observation(self) -> Mapping[str, Any]:
        """Return the positions of the joints, health if known, and maybe images.

        Raises:
            ReadError: The bus did not answer this time.
        """
        ...

    def send_action(self, action: dict[str, Any]) -> Mapping[str, Any]:
        """Set the target of each joint, and return what was really sent.

        Raises:
            ReadError: The bus did not answer this time.
        """
        ...

    def disconnect(self) -> None:
        """Close the arm and its cameras. It should go on holding its pose."""
        ...


NEEDED = (
    "name", "observation_features", "action_features", "is_connected", "is_calibrated",
    "connect", "configure", "get_observation", "send_action", "disconnect",
)  # fmt: skip
"""What the server uses of a robot."""


def check_shape(robot: Any, kind: str) -> None:
    """Raise ConfigError unless an object has LeRobot's shape; ``kind`` is its type's name."""
    for name in NEEDED:  # a property may fail before the arm is connected
        if not hasattr(type(robot), name) and not hasattr(robot, name):
            raise ConfigError(f"{kind} makes no robot: it has no {name!r}")


@runtime_checkable
class Camera(Protocol):
    """A camera in LeRobot's shape, as in ``robot.cameras["front"]``."""

    def async_read(self, timeout_ms: float = 200) -> Image:
        """Wait for an image that was not returned before.

        Raises:
            TimeoutError: There was none in time.
        """
        ...


@runtime_checkable
class SteppedRobot(Protocol):
    """A simulated robot: time passes in it only when it is told."""

    def advance(self, duration_s: float) -> None:
        """Simulate this long."""
        ...
