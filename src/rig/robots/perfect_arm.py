"""An arm that is always where it was told to be, and a camera that draws its tool as a dot.

``robot.type = "sim:perfect"``: for trying out a server and its clients without any hardware and
without MuJoCo. The simulated SO-101 (``sim:so101``) behaves like a real arm.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rig.robots.robot import POSITION, Image
from rig.robots.so101_kinematics import JOINTS, So101Kinematics


START = (0.0, -27.0, 52.0, 45.0, 0.0, 0.0)
SIZE_PX = 84
FIELD_M = 0.4
FRAME_S = 1 / 30


class DotCamera:
    """Sees a field of 40 x 40 cm in front of the arm from above, 30 times a second."""

    def __init__(self, arm: "PerfectArm", seed: int) -> None:
        self._arm = arm
        self._rng = np.random.default_rng(seed)
        self._seen_s = -FRAME_S

    def poll(self) -> Image | None:
        """Return an image if there is one that was not returned before."""
        if self._arm.time_s - self._seen_s < FRAME_S:
            return None
        self._seen_s = self._arm.time_s
        return self._draw()

    def _draw(self) -> Image:
        x_m, y_m, _ = So101Kinematics().forward(self._arm.joints)
        centre = np.array([FIELD_M - x_m, FIELD_M / 2 - y_m]) * SIZE_PX / FIELD_M
        row, column = np.square(np.arange(SIZE_PX)[:, None] - centre).T
        is_tool = row[:, None] + column < 5**2
        noise = self._rng.integers(-1, 2, is_tool.shape)
        grey = (np.where(is_tool, 40, 160) + noise).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)


class PerfectArm:
    """An SO-101 without lag, weight and noise."""

    name = "perfect"

    def __init__(self, seed: int = 0) -> None:
        """Make the arm; ``seed`` decides the noise of its camera."""
        self.joints = np.array(START)
        self.time_s = 0.0
        self.is_connected = False
        self.is_calibrated = True
        self.cameras = {"front": DotCamera(self, seed)}

    @property
    def observation_features(self) -> Mapping[str, Any]:
        """Return each observation's type."""
        return {**self.action_features, "front": (SIZE_PX, SIZE_PX, 3)}

    @property
    def action_features(self) -> Mapping[str, Any]:
        """Return each action's type."""
        return {joint + POSITION: float for joint in JOINTS}

    def connect(self, calibrate: bool = True) -> None:
        """Connect."""
        self.is_connected = True

    def configure(self) -> None:
        """Do nothing."""

    def get_observation(self) -> Mapping[str, Any]:
        """Return the positions of the joints."""
        return dict(zip(self.action_features, self.joints.tolist(), strict=True))

    def send_action(self, action: dict[str, Any]) -> Mapping[str, Any]:
        """Be there at once."""
        self.joints = np.array([action[key] for key in self.action_features], float)
        return action

    def disconnect(self) -> None:
        """Disconnect."""
        self.is_connected = False

    def advance(self, duration_s: float) -> None:
        """Let time pass."""
        self.time_s += duration_s
