"""The arm as the server uses it: an adapter, with its failures as values."""

import inspect
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from rig.errors import RobotError
from rig.robots.config import ArmConfig
from rig.robots.guard_inputs import Health
from rig.robots.robot import POSITION, Image, Joints, ReadError, Robot


FAILURES = (ReadError, OSError, RuntimeError, ValueError, KeyError, TypeError)
"""What a bus raises when a read or write fails; ``ConnectionError`` is an ``OSError``."""
UNKNOWN = Health()
RANGE_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """What the arm measured."""

    joints: Joints | None
    """None if the read failed."""
    health: Health = UNKNOWN
    images: Mapping[str, Image] | None = None


class Arm:
    """An adapter and the order of its joints."""

    def __init__(self, robot: Robot, joints: Sequence[str]) -> None:
        """Check that the adapter has these joints.

        Raises:
            RobotError: It has not.
        """
        self.robot = robot
        self._cameras: Any = None
        self._keys = [joint + POSITION for joint in joints]
        missing = [key for key in self._keys if key not in robot.action_features]
        if missing:
            known = ", ".join(robot.action_features)
            raise RobotError(f"the robot has no {missing[0]!r} for arm.joints: it has {known}")

    def calibration_problem(self, config: ArmConfig) -> str:
        """Return why the arm's positions can't be trusted, or nothing."""
        if self.robot.is_calibrated is False:
            return "the arm is not calibrated: calibrate it with its own tool"
        ranges_deg = getattr(self.robot, "joint_ranges_deg", {})
        for joint, low, high in zip(
            config.joints, config.low_deg, config.high_deg, strict=True
        ):
            turned = ranges_deg.get(joint, high - low)
            if abs(turned - (high - low)) > RANGE_TOLERANCE * (high - low):
                return (
                    f"{joint} is calibrated to {turned:.0f} deg of range, its limits span "
                    f"{high - low:.0f}, off by more than 5 %: calibrate this arm, or correct "
                    "arm.low_deg and high_deg"
                )
        return ""

    def connect(self) -> None:
        """Open the arm. It is never calibrated from here: that waits for a person."""
        takes = inspect.signature(self.robot.connect).parameters
        if "calibrate" in takes:
            self.robot.connect(calibrate=False)
        else:
            self.robot.connect()

    def read(self) -> Reading:
        """Return what the arm measures now; joints that are not finite are a failed read."""
        try:
            observation = self.robot.get_observation()
            joints = np.array([float(observation[key]) for key in self._keys])
        except FAILURES:
            return Reading(None)
        if not np.isfinite(joints).all():
            return Reading(None)
        images = {
            key: value for key, value in observation.items() if isinstance(value, np.ndarray)
        }
        return Reading(joints, health_of(observation), images)

    def write(self, target: Joints) -> bool:
        """Send the targets; return whether the arm took them."""
        try:
            self.robot.send_action(dict(zip(self._keys, target.tolist(), strict=True)))
        except FAILURES:
            return False
        return True

    def take_cameras(self) -> None:
        """Leave the cameras to the camera's feed, if the adapter lets them be taken.

        LeRobot's arms look at their cameras in each read and each write: one that is frozen, or
        was pulled out, would look like an arm that does not answer.
        """
        robot: Any = self.robot
        cameras = getattr(robot, "cameras", None)
        with suppress(AttributeError):
            robot.cameras = {}
            self._cameras = cameras

    def disconnect(self) -> None:
        """Close the arm and its cameras."""
        robot: Any = self.robot
        if self._cameras is not None:
            robot.cameras = self._cameras
        self.robot.disconnect()


def health_of(observation: Mapping[str, Any]) -> Health:
    """Return the extremes of what the servos say about themselves."""
    by_kind: dict[str, list[float]] = {"temperature": [], "current": [], "voltage": []}
    for key, value in observation.items():
        kind = key.rpartition(".")[2]
        if kind in by_kind:
            by_kind[kind].append(float(value))
    nan = [float("nan")]
    volts = by_kind["voltage"] or nan
    return Health(
        max(by_kind["temperature"] or nan),
        max(map(abs, by_kind["current"] or nan)),
        min(volts),
        max(volts),
    )
