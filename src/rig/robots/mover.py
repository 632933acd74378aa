"""Moves the guard's target: towards a client's goal, home, to rest, or back into the box."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rig.robots.config import RobotConfig
from rig.robots.envelope import Caps, Envelope
from rig.robots.guard_inputs import Doing, Finding
from rig.robots.robot import Joints, Point
from rig.robots.setpoint import Setpoint
from rig.robots.situation import Situation


NEAR_REST_DEG = 10.0
ON_WAY_DEG = 0.01
STILL_M = 1e-3
STILL_TICKS = 4
AT_HOME_M = 0.025
"""The arm lags behind its target and sags below it."""
SHARES_OF_WAY = (0.0, 0.1, 0.3, 1.0)
"""Places between the tool and home that are tried, the nearest first."""


class Mover:
    """The target, and where it goes."""

    def __init__(
        self, config: RobotConfig, envelope: Envelope, joints: Joints, now_s: float
    ) -> None:
        arm = config.arm
        self._config = config
        self._envelope = envelope
        self.setpoint = Setpoint(envelope, joints)
        self.goal_m: Point = envelope.clipped(self.setpoint.tool_m)
        self.armed_s = now_s
        self._home_m = np.array(arm.home_m)
        self._rest = np.array(arm.rest_deg)
        self._is_lost = False
        self._is_slow = True
        self._may_leave_box = False
        self._seen_m: list[Point] = []
        self._drawn: Joints | None = None
        self._onto: Joints | None = None

    def reaches(self, joints: Joints | None, is_lost: bool) -> bool:
        """Return whether the arm can be reached; once it is again, begin where it is.

        An arm whose power was cut has fallen: its old target would make it jump.
        """
        self._is_lost |= is_lost
        if self._is_lost and joints is not None:
            self._is_lost = False
            self.rebase(joints)
        return not self._is_lost

    def rebase(self, joints: Joints) -> None:
        """Begin at rest in a pose."""
        self.setpoint = Setpoint(self._envelope, joints)

    def arm(self, situation: Situation) -> None:
        """Begin with the measured pose: nothing jumps, and the first homing is slow."""
        self.armed_s = situation.now_s
        self._is_slow = True
        self._may_leave_box = self._is_near_rest(situation.measured)
        self._drawn = None

    def aim(self, action: Sequence[float], *, is_first: bool) -> None:
        """Move the goal by an action, in the box.

        The first action counts from the target, the next ones from the goal, so that an action
        of 1 is a whole step. The goal is never farther than two steps from the target.
        """
        step_m = np.zeros(3)
        step_m[list(self._config.axes)] = clipped(action) * self._config.session.step_m
        here_m = self.setpoint.tool_m
        start_m = here_m if is_first else self.goal_m
        leash_m = 2 * self._config.session.step_m
        ahead_m = np.clip(start_m + step_m - here_m, -leash_m, leash_m)
        self.goal_m = self._envelope.clipped(here_m + ahead_m)

    def advance(self, situation: Situation) -> bool:
        """Take a step of what the arm is at; return whether it is done."""
        self._look(situation)
        if situation.doing == Doing.HOMING:
            return self._go_home(situation)
        if situation.doing == Doing.RESTING:
            return self._go_to_rest(situation)
        if situation.doing == Doing.ACTING:
            self.setpoint.move_tool(self.goal_m, self._caps(situation))
            return False
        self.setpoint.brake()
        return True

    def stand(self, situation: Situation, stop: Finding | None) -> None:
        """Brake and stand; do not press where the arm is blocked."""
        self._look(situation)
        if stop is None or stop.rule != "following":
            self._drawn = None
        elif self._drawn is None and self.setpoint.is_at_rest:
            self._drawn = self._retreat(situation)
        if self._drawn is None or self.setpoint.is_at(self._drawn):
            self.setpoint.brake()
        else:
            there_m = self._envelope.kinematics.forward(self._drawn)
            caps = replace(self._envelope.full, outside_m=self._envelope.outside_m(there_m))
            self.setpoint.move_joints(self._drawn, caps)

    def hold(self, situation: Situation, findings: Sequence[Finding]) -> None:
        """Brake and hold; where the arm is out of its box, bring the target further in."""
        self._look(situation)
        is_only_outside = all(finding.rule == "box" for finding in findings)
        if not is_only_outside:
            self.setpoint.brake()
            return
        tool_m = self._envelope.kinematics.forward(situation.measured)
        inward_m = self._envelope.clipped(tool_m) - tool_m
        goal_m = self._envelope.clipped(self.setpoint.tool_m + inward_m)
        self.setpoint.move_tool(goal_m, self._envelope.slow)

    def is_settled(self, situation: Situation) -> bool:
        """Return whether the target is at rest, and the arm too."""
        if not self.setpoint.is_at_rest or len(self._seen_m) < STILL_TICKS:
            return False
        return float(np.ptp(np.array(self._seen_m), axis=0).max()) < STILL_M

    def _look(self, situation: Situation) -> None:
        self._seen_m.append(self._envelope.kinematics.forward(situation.measured))
        del self._seen_m[:-STILL_TICKS]

    def _go_home(self, situation: Situation) -> bool:
        """Go home; return whether the arm is there, at rest."""
        tool_m = self.setpoint.tool_m
        self._move_home(situation, self._caps(situation))
        is_there = self.setpoint.is_at_rest and _is_near(tool_m, self._home_m, 1e-4)
        if not is_there or not self.is_settled(situation):
            return False
        measured_m = self._envelope.kinematics.forward(situation.measured)
        if not _is_near(measured_m, self._home_m, AT_HOME_M):
            return False
        self._is_slow = self._may_leave_box = False
        return True

    def _go_to_rest(self, situation: Situation) -> bool:
        """Go home first, which is a known place, then straight to the rest pose."""
        is_home = _is_near(self.setpoint.tool_m, self._home_m, 1e-4)
        if self._may_leave_box or (is_home and self.setpoint.is_at_rest):
            self._may_leave_box = True
            self.setpoint.move_joints(self._rest, self._slow_caps(situation))
            return self.setpoint.is_at(self._rest)
        self._move_home(situation, self._slow_caps(situation))
        return False

    def _move_home(self, situation: Situation, caps: Caps) -> None:
        """Take a step home: straight through the box, once the pose is one of the kinematics.

        The box is convex and home is in it: the straight way never leads further out.
        """
        if self._is_on_way(self.setpoint.tool_m):
            self._onto = None
            self.setpoint.move_tool(self._home_m, caps)
        elif self._may_leave_box:
            self.setpoint.move_joints(self._home_joints(), self._slow_caps(situation))
        elif self._onto is not None and not self.setpoint.is_at_rest:
            self.setpoint.move_joints(self._onto, self._slow_caps(situation))
        else:
            self._start_onto_way(situation)

    def _start_onto_way(self, situation: Situation) -> None:
        """Start towards the nearest pose of the kinematics that a joint-space way leads to.

        After a fall or a restart the target is a measured pose: sagged, with another pitch. A
        long way in joint space bends, and from the box's wall it may bend out of it.
        """
        if not self.setpoint.is_at_rest:
            self.setpoint.brake()
            return
        near_m = self._envelope.clipped(self.setpoint.tool_m)
        for share in SHARES_OF_WAY:
            place_m = near_m + share * (self._home_m - near_m)
            self._onto = self._envelope.kinematics.inverse(place_m, self.setpoint.now)
            if self._onto is not None:
                self.setpoint.move_joints(self._onto, self._slow_caps(situation))
            if not self.setpoint.is_at_rest:
                break

    def _is_on_way(self, tool_m: Point) -> bool:
        """Return whether the target's joints are those that the kinematics gives."""
        joints = self._envelope.kinematics.inverse(tool_m, self.setpoint.now)
        return joints is not None and bool(
            np.abs(joints - self.setpoint.now).max() < ON_WAY_DEG
        )

    def _home_joints(self) -> Joints:
        near = np.array(self._config.arm.fixed_deg)
        joints = self._envelope.kinematics.inverse(self._home_m, near)
        assert joints is not None, "checked when the file was read"
        return joints

    def _retreat(self, situation: Situation) -> Joints:
        """Return the pose to which the target of a blocked arm is drawn back: where it is."""
        return situation.measured.copy()

    def _is_near_rest(self, joints: Joints) -> bool:
        return bool(np.abs(joints - self._rest).max() <= NEAR_REST_DEG)

    def _caps(self, situation: Situation) -> Caps:
        if self._is_slow:
            return self._slow_caps(situation)
        return self._envelope.full.scaled(self._ramp(situation))

    def _slow_caps(self, situation: Situation) -> Caps:
        slow = self._envelope.slow
        outside_m = np.inf if self._may_leave_box else 0.0
        return replace(slow, outside_m=outside_m).scaled(self._ramp(situation))

    def _ramp(self, situation: Situation) -> float:
        """Return the share of the speed that is allowed so soon after arming."""
        ramp_s = self._config.session.ramp_s
        since_s = situation.now_s - self.armed_s
        return min(1.0, max(0.05, since_s / ramp_s)) if ramp_s else 1.0


def clipped(action: Sequence[float]) -> Joints:
    """Return an action with each number in [-1, 1]."""
    return np.clip(np.array(action, float), -1.0, 1.0)


def _is_near(point_m: Point, other_m: Point, limit_m: float) -> bool:
    return float(np.linalg.norm(point_m - other_m)) <= limit_m
