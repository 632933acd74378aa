"""The envelope: what the arm may be told, from one tick of the guard to the next.

Every path is checked here before any of it reaches the arm: speed and acceleration of the
tool, speed of each joint, the box, and the margins of the joints. A path always ends at rest,
and all of it is checked. So whatever comes, there is a checked way to rest
(:mod:`rig.robots.setpoint`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.robots.config import RobotConfig
from rig.robots.kinematics import Kinematics
from rig.robots.robot import Joints, Point


ROUNDING = 1e-9
LEAST = 1e-12
Path = Sequence[Joints]
Paths = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Caps:
    """Speeds that hold for one motion; never above the limits of the file."""

    speed_m_s: float
    joint_speed_deg_s: float
    outside_m: float = 0.0
    """How far targets may be outside of the box: infinite on the way between the rest pose and
    home, which the guard goes by itself; as far as a blocked arm is, on the way back to it."""

    def scaled(self, share: float) -> "Caps":
        """Return a share of the speeds."""
        return Caps(self.speed_m_s * share, self.joint_speed_deg_s * share, self.outside_m)


class Envelope:
    """The limits of a file, ready to check paths."""

    def __init__(self, config: RobotConfig, kinematics: Kinematics) -> None:
        arm, limits = config.arm, config.limits
        self.kinematics = kinematics
        self.dt_s = 1 / config.session.guard_hz
        self.acceleration_m_s2 = limits.acceleration_m_s2
        self.full = Caps(limits.speed_m_s, limits.joint_speed_deg_s)
        self.slow = Caps(
            min(limits.recovery_speed_m_s, limits.speed_m_s),
            min(limits.recovery_joint_speed_deg_s, limits.joint_speed_deg_s),
        )
        self.low_m, self.high_m = np.array(limits.box_low_m), np.array(limits.box_high_m)
        self.low, self.high = np.array(arm.low_deg), np.array(arm.high_deg)
        fixed = getattr(kinematics, "fixed_joints", ())
        margin = np.array(
            [0.0 if name in fixed else limits.joint_margin_deg for name in arm.joints]
        )
        self._inner_low, self._inner_high = self.low + margin, self.high - margin

    def outside_m(self, tool_m: Point) -> float:
        """Return how far a point is outside of the box."""
        return float(np.linalg.norm(tool_m - self.clipped(tool_m)))

    def clipped(self, tool_m: Point) -> Point:
        """Return the nearest point of the box."""
        return np.clip(tool_m, self.low_m, self.high_m)

    def allows(self, before: Joints, now: Joints, path: Path, caps: Caps) -> bool:
        """Check a path that continues from two ticks' targets and ends at rest."""
        joints = np.array([before, now, *path], float)
        if not np.isfinite(joints).all():
            return False
        tools = np.array([self.kinematics.forward(each) for each in joints])
        return (
            self._is_slow(tools, joints, caps)
            and self._is_smooth(tools)
            and self._stays_in_box(tools[1:], caps.outside_m)
            and self._stays_in_joint_limits(joints[1:])
        )

    def _is_slow(self, tools: Paths, joints: Paths, caps: Caps) -> bool:
        """Check speeds; where a cap fell below the speed of now, slowing down is enough."""
        tool_steps = np.linalg.norm(np.diff(tools, axis=0), axis=1)
        joint_steps = np.abs(np.diff(joints, axis=0))
        tool_cap = np.maximum(caps.speed_m_s * self.dt_s, tool_steps[:-1])
        joint_cap = np.maximum(
            caps.joint_speed_deg_s * self.dt_s, joint_steps[:-1].max(axis=1, initial=0)
        )
        full_tool, full_joint = self.full.speed_m_s, self.full.joint_speed_deg_s
        tool_cap = np.minimum(tool_cap, full_tool * self.dt_s) + ROUNDING
        joint_cap = np.minimum(joint_cap, full_joint * self.dt_s) + ROUNDING
        return bool(
            (tool_steps[1:] <= tool_cap).all() and (joint_steps[1:] <= joint_cap[:, None]).all()
        )

    def _is_smooth(self, tools: Paths) -> bool:
        """Check the acceleration, also at the end, where the path is at rest."""
        steps = np.diff(tools, axis=0, append=tools[-1:])
        changes = np.linalg.norm(np.diff(steps, axis=0), axis=1)
        return bool((changes <= self.acceleration_m_s2 * self.dt_s**2 + ROUNDING).all())

    def _stays_in_box(self, tools: Paths, outside_m: float) -> bool:
        """Check that no step leads out, or further out than is allowed."""
        excess = np.maximum(self.low_m - tools, 0) + np.maximum(tools - self.high_m, 0)
        out_m = np.linalg.norm(excess, axis=1)
        # Rounding counts from the box, not from the last tick, or it would add up.
        allowed_m = np.maximum(out_m[:-1] + LEAST, outside_m + ROUNDING)
        return bool((out_m[1:] <= allowed_m).all())

    def _stays_in_joint_limits(self, joints: Paths) -> bool:
        """Check that no step leads into a joint's margin, or further into it."""
        excess = np.maximum(self._inner_low - joints, 0)
        excess += np.maximum(joints - self._inner_high, 0)
        return bool((np.diff(excess, axis=0) <= ROUNDING).all())
