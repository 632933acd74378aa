"""The guard: modes and limits, and the last word on every target of the arm.

A state machine without threads, sockets or a clock of its own: :meth:`Guard.tick` is called
50 times a second with all that happened (:class:`~rig.robots.guard_inputs.Inputs`) and says
what the arm gets. A client's action only moves the goal; the target follows it within the
limits (:mod:`rig.robots.setpoint`).

=========  ====================================================================================
OFF        not connected
READY      connected and holding; a person has to arm it
ARMED      armed; every time, it first goes home slowly, then waits for a client
MOVING     a client acts, or it goes home or to rest
HOLD       a rule is not kept: it brakes and holds until it is; the episode is spoiled
STOPPED    a rule that needs a person: holds until someone at the robot clears it, then READY
=========  ====================================================================================

A hold is a stop of category 2 (IEC 60204-1): the arm brakes within its limits and its motors
keep their power, since an arm without brakes falls without it.
"""

from dataclasses import replace

import numpy as np

from rig.robots.config import RobotConfig
from rig.robots.envelope import Envelope
from rig.robots.guard_inputs import Decision, Doing, Finding, Inputs, Mode, is_broken
from rig.robots.kinematics import Kinematics
from rig.robots.mover import Mover
from rig.robots.robot import Joints
from rig.robots.rules import make_rules
from rig.robots.situation import Situation, spent


class Guard:
    """The guard of one arm. Begins OFF; :meth:`connect` gives it the first measured pose."""

    def __init__(
        self, config: RobotConfig, kinematics: Kinematics, calibration_problem: str = ""
    ) -> None:
        self.config = config
        self.envelope = Envelope(config, kinematics)
        self.rules = make_rules(config, self.envelope)
        self.calibration_problem = calibration_problem
        self.clipped = 0
        self.spoiled = False
        self.latched: Finding | None = None
        self._holding = ""
        self._events: list[str] = []
        self._mover: Mover | None = None
        self._situation: Situation | None = None

    def connect(self, joints: Joints, now_s: float) -> None:
        """Begin to hold the measured pose."""
        self._mover = Mover(self.config, self.envelope, joints, now_s)
        self._situation = Situation(
            now_s=now_s, gap_s=0.0, measured=joints, target=joints, is_armed=False,
            doing=Doing.IDLE, started_s=now_s, connected_s=now_s,
        )  # fmt: skip

    @property
    def mover(self) -> Mover:
        """The part that moves the target."""
        assert self._mover is not None, "connect first"
        return self._mover

    @property
    def situation(self) -> Situation:
        """What the rules look at."""
        assert self._situation is not None, "connect first"
        return self._situation

    def fail(self, text: str) -> None:
        """Stop for good: the server itself is broken."""
        self.latched = self.latched or Finding("internal", text, stops=True)
        self.spoiled = True

    def tick(self, now_s: float, inputs: Inputs) -> Decision:
        """Decide what the arm gets now.

        Args:
            now_s: The time, by a clock that only goes forward.
            inputs: All that happened since the last tick.
        """
        self._events = []
        inputs = self._understood(now_s, inputs)
        findings = self._findings(inputs)
        self._latch(inputs, findings)
        self._hear_person(inputs, findings)
        self._hear_client(inputs, findings)
        self._note_hold(findings)
        is_lost = any(finding.rule == "bus" for finding in findings)
        is_reached = self.mover.reaches(inputs.joints, is_lost)
        target = self._move(inputs, findings) if is_reached else None
        mode = self._mode(findings)
        taken = inputs.action is not None and self.situation.command_s == now_s
        return Decision(
            target, mode, self._why(findings), self.situation.doing, self.spoiled, taken,
            self._events,
        )  # fmt: skip

    def _understood(self, now_s: float, inputs: Inputs) -> Inputs:
        """Take in the measured pose; one that is not finite counts as a failed read."""
        situation = self.situation
        if inputs.joints is not None and not np.isfinite(inputs.joints).all():
            inputs = replace(inputs, joints=None)
        situation.gap_s, situation.now_s = now_s - situation.now_s, now_s
        if inputs.joints is not None:
            situation.measured = inputs.joints
        situation.target = self.mover.setpoint.now
        if inputs.client_waits:
            situation.waited_s = now_s
        return inputs

    def _findings(self, inputs: Inputs) -> list[Finding]:
        found = (rule.check(inputs, self.situation) for rule in self.rules.values())
        return [finding for finding in found if finding]

    def _latch(self, inputs: Inputs, findings: list[Finding]) -> None:
        """Stop for good where someone asks for it, or a rule does."""
        stops = [finding for finding in findings if finding.stops]
        if inputs.stop:
            stops.insert(0, Finding("stop", inputs.stop, stops=True))
        if inputs.action is not None and is_broken(inputs.action):
            text = f"the action {list(inputs.action)} is not finite: the policy is broken"
            stops.insert(0, Finding("action", text, stops=True))
        if stops and self.latched is None:
            self.latched = stops[0]
            self._say(f"STOPPED: {stops[0].text}")
        if stops:
            self._drop_goal()
            self.spoiled = True

    def _hear_person(self, inputs: Inputs, findings: list[Finding]) -> None:
        """Clear or arm, unless something is wrong."""
        is_wrong = any(finding.stops for finding in findings) or bool(inputs.stop)
        if inputs.clear and self.latched and not is_wrong:
            self._say("a person cleared the stop")
            self.latched, self.situation.is_armed = None, False
        if inputs.arm and not self.latched and not self.situation.is_armed:
            self._arm(findings)

    def _arm(self, findings: list[Finding]) -> None:
        """Arm, and go home slowly; refuse with a reason in the log."""
        if problem := self.calibration_problem or (findings[0].text if findings else ""):
            self._say(f"not armed: {problem}")
        else:
            self._say("a person armed the arm; it goes home slowly")
            self.situation.is_armed, self.situation.episode_s = True, None
            self.mover.arm(self.situation)
            self._start(Doing.HOMING)

    def _hear_client(self, inputs: Inputs, findings: list[Finding]) -> None:
        """Take orders, unless the arm is not armed, or stopped."""
        situation = self.situation
        self.spoiled |= inputs.dropped
        self._check_times()
        if not situation.is_armed or self.latched or situation.doing == Doing.RESTING:
            return
        if inputs.rest:
            self._say(f"to the rest pose: {inputs.rest}")
            self._start(Doing.RESTING)
        elif inputs.home and situation.doing != Doing.HOMING:
            situation.episode_s = None
            self._start(Doing.HOMING)
        if inputs.begin and situation.doing == Doing.IDLE and not findings:
            situation.episode_s, self.spoiled = situation.now_s, False
        can_act = not findings and situation.doing in (Doing.IDLE, Doing.ACTING)
        if inputs.action is not None and can_act:
            self._act(inputs.action)

    def _act(self, action: tuple[float, ...]) -> None:
        """Move the goal by an action, clipped to [-1, 1]."""
        self.clipped += any(abs(number) > 1 for number in action)
        self.situation.command_s = self.situation.now_s
        is_first = self.situation.doing != Doing.ACTING
        self.mover.aim(action, is_first=is_first)
        if is_first:
            self._start(Doing.ACTING)

    def _check_times(self) -> None:
        """Go to rest when the time of the episode, or of the motors, is spent."""
        situation = self.situation
        if not situation.is_armed or self.latched or situation.doing == Doing.RESTING:
            return
        if text := spent(self.config.session, situation, self.mover.armed_s):
            self._say(f"to the rest pose: {text}")
            self.spoiled, situation.episode_s = True, None
            self._start(Doing.RESTING)

    def _note_hold(self, findings: list[Finding]) -> None:
        """Drop the goal while something is in doubt, and spoil the episode."""
        text = findings[0].text if findings else ""
        if findings and self.situation.is_armed and not self.latched:
            self._drop_goal()
            self.situation.started_s += self.situation.gap_s  # a hold is no time of homing
            self.spoiled = True
            if not self._holding:
                self._say(f"HOLD: {text}")
        self._holding = text

    def _drop_goal(self) -> None:
        """Go on with nothing that a client asked for."""
        if self.situation.doing == Doing.ACTING:
            self._start(Doing.IDLE)

    def _move(self, inputs: Inputs, findings: list[Finding]) -> Joints:
        """Advance the target by one tick."""
        situation, mover = self.situation, self.mover
        if self.latched or not situation.is_armed:
            mover.stand(situation, self.latched)
            is_at_rest = mover.setpoint.is_at_rest
            situation.doing = Doing.IDLE if is_at_rest else situation.doing
        elif findings:
            mover.hold(situation, findings)
        else:
            self._move_on()
        return mover.setpoint.now

    def _move_on(self) -> None:
        """Do what the arm is at; note its end."""
        situation = self.situation
        if not self.mover.advance(situation):
            return
        if situation.doing == Doing.RESTING:
            situation.is_armed = False
        if situation.doing != Doing.IDLE:
            self._say(f"{situation.doing} is done")
            self._start(Doing.IDLE)

    def _start(self, doing: Doing) -> None:
        self.situation.doing, self.situation.started_s = doing, self.situation.now_s

    def _mode(self, findings: list[Finding]) -> Mode:
        if self.latched:
            return Mode.STOPPED
        if not self.situation.is_armed:
            return Mode.READY
        if findings:
            return Mode.HOLD
        return Mode.ARMED if self.situation.doing == Doing.IDLE else Mode.MOVING

    def _why(self, findings: list[Finding]) -> str:
        causes = [self.latched] if self.latched else findings
        if causes:
            return causes[0].text
        return "" if self.situation.is_armed else self.calibration_problem

    def _say(self, text: str) -> None:
        self._events.append(text)
