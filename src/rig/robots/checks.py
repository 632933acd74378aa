"""The guard's rules: each looks at one thing and says what is wrong, with value and limit.

A rule keeps the time since when its limit is not kept; all times are the guard's. Rules about
the camera are in :mod:`rig.robots.camera_checks`.
"""

from dataclasses import dataclass, field

import numpy as np

from rig.robots.config import RobotConfig
from rig.robots.envelope import Envelope
from rig.robots.guard_inputs import Doing, Finding, Inputs
from rig.robots.situation import Since, Situation


MAX_GAP_S = 0.1
"""A guard that was not run for so long missed what happened."""


@dataclass
class GapRule:
    """The guard itself must run: a machine that was suspended holds when it wakes."""

    config: RobotConfig
    name: str = "gap"

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare the time between ticks with its limit."""
        if situation.gap_s <= MAX_GAP_S:
            return None
        return Finding(self.name, f"the guard did not run for {situation.gap_s:.2f} s")


@dataclass
class ReadRule:
    """The bus must answer."""

    config: RobotConfig
    name: str = "bus"
    num_failed: int = 0

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Count failed reads in a row."""
        self.num_failed = self.num_failed + 1 if inputs.joints is None else 0
        most = self.config.limits.max_failed_reads
        if self.num_failed < most:
            return None
        text = (
            f"{self.num_failed} reads of the arm failed in a row, limit {most}: see its cable"
        )
        return Finding(self.name, text, stops=True)


@dataclass
class HealthRule:
    """Servos must be neither hot nor overloaded, and well supplied."""

    config: RobotConfig
    name: str = "health"
    since: Since = field(default_factory=Since)

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare temperature, current and voltage with their limits."""
        limits = self.config.limits
        wrong = [
            text
            for text, value, low, high in self._values(inputs)
            if value < low or value > high
        ]
        lasted_s = self.since.duration_s(bool(wrong), situation.now_s)
        if not wrong:
            return None
        text = f"{'; '.join(wrong)}: let the arm cool down and see its supply"
        return Finding(self.name, text, stops=lasted_s >= limits.health_s)

    def _values(self, inputs: Inputs) -> list[tuple[str, float, float, float]]:
        limits, health = self.config.limits, inputs.health
        low_v, high_v = limits.voltage_low_v, limits.voltage_high_v
        hot, amperes = limits.temperature_c, limits.current_a
        supply = f"limits {low_v:g} to {high_v:g} V"
        return [
            (f"a servo has {health.temperature_c:.0f} C, limit {hot:g} C", health.temperature_c,
             -np.inf, hot),
            (f"a servo takes {health.current_a:.2f} A, limit {amperes:g} A", health.current_a,
             -np.inf, amperes),
            (f"{health.voltage_low_v:.1f} V, {supply}", health.voltage_low_v, low_v, np.inf),
            (f"{health.voltage_high_v:.1f} V, {supply}", health.voltage_high_v, -np.inf,
             high_v),
        ]  # fmt: skip


@dataclass
class FollowingRule:
    """The joints must follow their targets: a blocked arm must not press."""

    config: RobotConfig
    name: str = "following"
    since: Since = field(default_factory=Since)

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare each joint with its target."""
        limits = self.config.limits
        errors = np.abs(situation.measured - situation.target)
        worst = int(errors.argmax())
        is_far = bool(errors[worst] > limits.following_error_deg)
        if self.since.duration_s(is_far, situation.now_s) < limits.following_s or not is_far:
            return None
        joint = self.config.arm.joints[worst]
        text = (
            f"{joint} is {errors[worst]:.1f} deg from its target, limit "
            f"{limits.following_error_deg:g} deg for {limits.following_s:g} s: is it blocked?"
        )
        return Finding(self.name, text, stops=True)


@dataclass
class BoxRule:
    """The measured tool must be in the box, about."""

    config: RobotConfig
    envelope: Envelope
    name: str = "box"

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare the tool with the box, unless the guard itself leaves it."""
        if situation.doing in (Doing.HOMING, Doing.RESTING) or not situation.is_armed:
            return None
        tool_m = self.envelope.kinematics.forward(situation.measured)
        outside_m, limit_m = self.envelope.outside_m(tool_m), self.config.limits.box_tolerance_m
        if outside_m <= limit_m:
            return None
        text = f"the tool is {1000 * outside_m:.0f} mm outside of the box, limit "
        return Finding(self.name, f"{text}{1000 * limit_m:.0f} mm")


@dataclass
class JointRule:
    """No joint may be past its limit."""

    config: RobotConfig
    envelope: Envelope
    name: str = "joint limit"

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare each joint with its limits."""
        measured = situation.measured
        past = np.maximum(self.envelope.low - measured, measured - self.envelope.high)
        worst = int(past.argmax())
        goes_inward = situation.doing in (Doing.HOMING, Doing.RESTING)
        if past[worst] <= 0 or not situation.is_armed or goes_inward:
            return None
        joint = self.config.arm.joints[worst]
        return Finding(self.name, f"{joint} is {past[worst]:.1f} deg past its limit, limit 0")


@dataclass
class CommandRule:
    """A client that acts must go on, in time."""

    config: RobotConfig
    name: str = "command"

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare the age of the last action with its limit."""
        if situation.doing != Doing.ACTING:
            return None
        wire = self.config.wire
        due_s = max(situation.command_s + wire.command_s, situation.waited_s + wire.answer_s)
        if situation.now_s < due_s:
            return None
        age_s = situation.now_s - situation.command_s
        text = f"the client's last action is {age_s:.2f} s old, limit {wire.command_s:g} s"
        return Finding(self.name, text)


@dataclass
class RequestRule:
    """A request that the server itself fails on is a doubt."""

    config: RobotConfig
    name: str = "request"

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Hold once for each."""
        return Finding(self.name, inputs.doubt) if inputs.doubt else None


@dataclass
class HoldToRunRule:
    """The person's key must be held."""

    config: RobotConfig
    name: str = "hold-to-run"
    held_s: float = -np.inf

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare the age of the last keep-alive with its limit."""
        session = self.config.session
        if inputs.is_held:
            self.held_s = situation.now_s
        if inputs.is_released:
            self.held_s = -np.inf
        if not session.hold_to_run or situation.now_s - self.held_s < session.hold_to_run_s:
            return None
        return Finding(self.name, "the hold-to-run key is not held")


@dataclass
class HomingRule:
    """Homing must end."""

    config: RobotConfig
    name: str = "homing"

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Compare the time since homing began with its limit."""
        is_homing = situation.doing in (Doing.HOMING, Doing.RESTING)
        took_s, limit_s = situation.now_s - situation.started_s, self.config.session.homing_s
        if not is_homing or took_s < limit_s:
            return None
        text = f"{situation.doing} takes {took_s:.1f} s, limit {limit_s:g} s: is it blocked?"
        return Finding(self.name, text, stops=True)
