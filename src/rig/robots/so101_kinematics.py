"""Kinematics of the SO-101 in closed form: the tool is kept at one pitch.

The pan joint turns an upright plane. In it ``r`` is the distance from the pan axis and ``z`` is
up. Two links (upper arm, forearm) make a triangle to the wrist; the wrist joint keeps the
pitch. No iteration, no jumps. Lengths follow the published model of the SO-101 (Apache-2.0);
zero is the middle of each joint's range. Positive: pan to the right (-y), the others downwards.
"""

from math import acos, atan2, cos, degrees, hypot, radians, sin

import numpy as np

from rig.robots.robot import Joints, Point


JOINTS = (
    "shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper",
)  # fmt: skip
LOW = (-110.0, -100.0, -96.8, -95.0, -157.0, -10.0)
HIGH = (110.0, 100.0, 96.8, 95.0, 163.0, 100.0)
"""Limits of the joints, degrees; the gripper's are percent."""
PAN_X_M = 0.0388
LIFT_R_M, LIFT_Z_M = 0.0304, 0.1166
UPPER_R_M, UPPER_Z_M = 0.0280, 0.1126
FORE_R_M, FORE_Z_M = 0.1349, 0.0052
TOOL_R_M, TOOL_Z_M = 0.1593, -0.0079
"""From joint to joint in the arm's plane, with all joints at zero."""
UPPER_M, FORE_M, TOOL_M = (
    hypot(UPPER_R_M, UPPER_Z_M), hypot(FORE_R_M, FORE_Z_M), hypot(TOOL_R_M, TOOL_Z_M),
)  # fmt: skip
UPPER_RAD, FORE_RAD, TOOL_RAD = (
    atan2(UPPER_Z_M, UPPER_R_M), atan2(FORE_Z_M, FORE_R_M), atan2(TOOL_Z_M, TOOL_R_M),
)  # fmt: skip
"""Rise of each link over the horizontal, with all joints at zero."""


class So101Kinematics:
    """The SO-101 with the tool at one pitch: 90 points straight down, 0 forward."""

    fixed_joints = ("wrist_roll", "gripper")

    def __init__(self, tool_pitch_deg: float = 70.0) -> None:
        """Fix the pitch; with 70, x from 0.15 to 0.35 m is within reach at table height."""
        self._pitch_rad = radians(tool_pitch_deg)

    def forward(self, joints: Joints) -> Point:
        """Return the position of the tool, whatever its pitch; the roll is taken as 0."""
        pan, lift, elbow, wrist = (radians(float(angle)) for angle in joints[:4])
        upper, fore = UPPER_RAD - lift, FORE_RAD - lift - elbow
        tool = TOOL_RAD - lift - elbow - wrist
        r_m = LIFT_R_M + UPPER_M * cos(upper) + FORE_M * cos(fore) + TOOL_M * cos(tool)
        z_m = LIFT_Z_M + UPPER_M * sin(upper) + FORE_M * sin(fore) + TOOL_M * sin(tool)
        return np.array([PAN_X_M + r_m * cos(pan), -r_m * sin(pan), z_m])

    def inverse(self, tool_m: Point, near: Joints) -> Joints | None:
        """Return joints with the elbow up, or None if the tool would be out of reach."""
        x_m, y_m, z_m = (float(number) for number in tool_m)
        tool = TOOL_RAD - self._pitch_rad
        out_m = hypot(x_m - PAN_X_M, y_m) - TOOL_M * cos(tool) - LIFT_R_M
        up_m = z_m - TOOL_M * sin(tool) - LIFT_Z_M
        span_m = hypot(out_m, up_m)
        if not abs(UPPER_M - FORE_M) < span_m < UPPER_M + FORE_M:
            return None
        cosine = (UPPER_M**2 + span_m**2 - FORE_M**2) / (2 * UPPER_M * span_m)
        upper = atan2(up_m, out_m) + acos(max(-1.0, min(1.0, cosine)))
        fore = atan2(up_m - UPPER_M * sin(upper), out_m - UPPER_M * cos(upper))
        lift = UPPER_RAD - upper
        elbow = FORE_RAD - fore - lift
        wrist = self._pitch_rad - lift - elbow
        pan = atan2(-y_m, x_m - PAN_X_M)
        joints = np.array(near, float)
        joints[:4] = [degrees(angle) for angle in (pan, lift, elbow, wrist)]
        return joints
