"""Kinematics of Sawyer: the chain of its published model, and a small step of least squares.

Seven joints for three numbers: of all poses with the tool there and pointing down, the one
nearest to the present pose is taken, so that small moves of the tool are small moves of the
joints.
"""

from math import radians

import numpy as np
from numpy.typing import NDArray

from rig.robots.robot import Joints, Point


Matrix = NDArray[np.float64]
CHAIN = (
    ((0.0, 0.0, 0.08), (0.0, 0.0, 0.0)),
    ((0.081, 0.05, 0.237), (-90.0, 90.0, 0.0)),
    ((0.0, -0.14, 0.1425), (90.0, 0.0, 0.0)),
    ((0.0, -0.042, 0.26), (-90.0, 0.0, 0.0)),
    ((0.0, -0.125, -0.1265), (90.0, 0.0, 0.0)),
    ((0.0, 0.031, 0.275), (-90.0, 0.0, 0.0)),
    ((0.0, -0.11, 0.1053), (-90.0, -9.7402, 180.0)),
)
"""Place (m) and roll, pitch, yaw (deg) of each joint in the frame before. Axis: z."""
HAND_M = 0.0245
"""From the last joint to the tool, along its z."""
DOWN = np.array([0.0, 0.0, -1.0])
NUM_STEPS, DAMPING, NEAR = 60, 1e-3, 1e-5
MAX_STEP_RAD = 0.2


class SawyerKinematics:
    """Sawyer with the tool pointing down."""

    def __init__(self, tool_m: float = 0.0) -> None:
        """Add the length of a tool at the hand, metres."""
        self._tool_m = HAND_M + tool_m

    def forward(self, joints: Joints) -> Point:
        """Return the position of the tool."""
        return self._pose(np.radians(joints))[0]

    def inverse(self, tool_m: Point, near: Joints) -> Joints | None:
        """Return joints near to ``near``, or None if no pose points down there."""
        angles = np.radians(np.asarray(near, float))
        for _ in range(NUM_STEPS):
            error, jacobian = self._error(angles, np.asarray(tool_m, float))
            if np.abs(error).max() < NEAR:
                return np.degrees(angles)
            square = jacobian @ jacobian.T + DAMPING**2 * np.eye(len(error))
            step = jacobian.T @ np.linalg.solve(square, error)
            angles = angles + np.clip(step, -MAX_STEP_RAD, MAX_STEP_RAD)
        return None

    def _error(self, angles: NDArray[np.float64], tool_m: Point) -> tuple[Matrix, Matrix]:
        """Return what is left to the place and to pointing down, and its derivative."""
        position, direction, origins, axes = self._pose(angles)
        error = np.concatenate([tool_m - position, np.cross(direction, DOWN)])
        moves = np.cross(axes, position - origins)
        return error, np.concatenate([moves.T, axes.T])

    def _pose(self, angles: NDArray[np.float64]) -> tuple[Point, Point, Matrix, Matrix]:
        """Return the tool's place and direction, and each joint's place and axis."""
        frame, origins, axes = np.eye(4), [], []
        for (place, turn), angle in zip(CHAIN, angles, strict=True):
            frame = frame @ transform(place, turn)
            origins.append(frame[:3, 3])
            axes.append(frame[:3, 2])
            frame = frame @ transform((0, 0, 0), (0, 0, np.degrees(angle)))
        tool = frame @ transform((0, 0, self._tool_m), (0, 0, 0))
        return tool[:3, 3], tool[:3, 2], np.array(origins), np.array(axes)


def transform(place: tuple[float, ...], turn_deg: tuple[float, ...]) -> Matrix:
    """Return the transform of a place and of roll, pitch and yaw."""
    (cr, cp, cy), (sr, sp, sy) = (
        [function(radians(angle)) for angle in turn_deg] for function in (np.cos, np.sin)
    )
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )
    matrix[:3, 3] = place
    return matrix
