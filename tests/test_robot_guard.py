"""Whatever comes, the driver never gets a target that is outside of the box, or too fast."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from robot_bench import HOME, Bench, config_with

from rig.robots.guard import Guard
from rig.robots.guard_inputs import FrameFacts, Health, Inputs
from rig.robots.setpoint import Setpoint
from rig.robots.so101_kinematics import So101Kinematics


DT_S = 0.02
BAD = (np.nan, np.inf, -np.inf, 1e300, -1e300, 0.0)
KINEMATICS = So101Kinematics()


class Arm:
    """Follows its targets with lag; blocked and pushed at will."""

    def __init__(self, rng):
        self.rng = rng
        self.joints = np.array(HOME)
        self.target = np.array(HOME)
        self.is_blocked = False
        self.push = 0.0

    def step(self):
        if not self.is_blocked:
            self.joints = self.joints + 0.25 * (self.target - self.joints)
            self.joints[0] += self.push
        return self.joints + self.rng.normal(0, 0.05, 6)


class Torture:
    """A guard, an arm, and everything that can come."""

    def __init__(self, seed, config=None):
        self.rng = np.random.default_rng(seed)
        self.config = config or config_with()
        self.guard = Guard(self.config, KINEMATICS)
        self.arm = Arm(self.rng)
        self.now_s = 0.0
        self.guard.connect(self.arm.step(), 0.0)
        self.targets, self.measured, self.on_way = [], [], []
        self.is_on_way = self.is_lost = False
        self.starts = []
        self.seq = 0
        self.faults = {}
        self.modes = set()

    def tick(self, action=None, **wishes):
        self.now_s += DT_S
        rng, faults = self.rng, self.faults
        self.arm.is_blocked = "blocked" in faults
        self.arm.push = 0.6 if "pushed" in faults else 0.0
        joints = self._read()
        self.seq += "freeze" not in faults
        health = Health(70.0, 0.5, 7.0, 7.0) if "hot" in faults else Health()
        mean = 1.0 if "black" in faults else 120.0 + 80.0 * ("jump" in faults)
        if "late" in faults:
            self.now_s += rng.uniform(0, 0.5)
        facts = FrameFacts(
            self.seq, self._frame_s(), mean, 7 if "repeat" in faults else self.seq
        )
        decision = self.guard.tick(
            self.now_s,
            Inputs(joints=joints, health=health, frame=facts, action=action, **wishes),
        )
        if decision.target is None:  # the bus is lost; the arm keeps its target
            self.is_lost = True
            return
        if self.is_lost:  # once the arm is back, it begins at rest where it is
            self.starts.append(len(self.targets))
            self.targets += [joints, joints]
            self.measured += [self.arm.joints.copy()] * 2
            self.on_way += [self.is_on_way] * 2
        self.is_lost = False
        self.arm.target = decision.target
        self.targets.append(decision.target)
        self.measured.append(self.arm.joints.copy())
        self.modes.add(str(decision.mode))
        # Between home and the rest pose the guard itself leaves the box, slowly.
        self.is_on_way |= decision.doing == "resting"
        self.is_on_way &= decision.mode != "ARMED"
        self.on_way.append(self.is_on_way)

    def _read(self):
        joints = self.arm.step()
        if "bus" in self.faults:
            return None
        return joints * np.nan if "nan" in self.faults else joints

    def _frame_s(self):
        if "freeze" not in self.faults:
            self.frame_s = self.now_s
        return self.frame_s

    def action(self):
        """Returns an action: of a random kind, and at times none."""
        rng = self.rng
        kind = rng.integers(6)
        if kind == 0:
            return None
        if kind == 1:
            return tuple(rng.uniform(-1, 1, 3))
        if kind == 2:
            return tuple(rng.choice([-1.0, 1.0], 3))
        if kind == 3:
            return tuple(rng.normal(0, 10, 3))
        if kind == 4:  # away from where it moves
            return tuple(np.sign(self.guard.mover.setpoint.tool_m - [0.24, 0, 0.05]))
        return tuple(rng.choice([-1e9, 1e9], 3))

    def arm_again(self):
        self.tick(clear=True)
        self.tick(arm=True)

    def check(self):
        """Check each stretch between losses of the bus; return where the target was outside."""
        starts = [0, *self.starts, len(self.targets)]
        return np.concatenate([
            self._check(slice(*ends)) for ends in pairwise(starts) if ends[1] - ends[0] > 2
        ])  # fmt: skip

    def _check(self, part):
        targets = np.array(self.targets[part])
        assert np.isfinite(targets).all()
        tools_m = np.array([KINEMATICS.forward(each) for each in targets])
        measured_m = np.array([KINEMATICS.forward(each) for each in self.measured[part]])
        limits = self.config.limits
        steps_m = np.diff(tools_m, axis=0)
        assert np.linalg.norm(steps_m, axis=1).max() <= limits.speed_m_s * DT_S + 1e-8
        joint_cap = limits.joint_speed_deg_s * DT_S
        assert np.abs(np.diff(targets, axis=0)).max() <= joint_cap + 1e-8
        changes_m = np.linalg.norm(np.diff(steps_m, axis=0), axis=1)
        assert changes_m.max() <= limits.acceleration_m_s2 * DT_S**2 + 1e-8
        outside_m, arm_m = self._outside_m(tools_m), self._outside_m(measured_m)
        # Only where a blocked arm is out of its box may the target be drawn out to it.
        furthest_m = np.maximum.accumulate(arm_m)
        on_way = np.array(self.on_way[part])
        slow_m = limits.recovery_speed_m_s * DT_S + 1e-8
        assert (
            np.linalg.norm(steps_m, axis=1)[(on_way & (outside_m > 1e-8))[1:]] <= slow_m
        ).all()
        is_out = (outside_m > np.maximum(outside_m[0], 1e-8)) & ~on_way
        assert (outside_m[is_out] <= furthest_m[is_out] + 2e-3).all()
        return is_out

    def _outside_m(self, tools_m):
        low, high = self.config.limits.box_low_m, self.config.limits.box_high_m
        return np.linalg.norm(tools_m - np.clip(tools_m, low, high), axis=1)


def commands(seed, num):
    """Random, adversarial and broken commands, with a person who always arms it again."""
    torture = Torture(seed)
    rng = torture.rng
    torture.arm_again()
    for number in range(num):
        wishes = {}
        if rng.random() < 0.02:
            wishes = {str(rng.choice(["home", "begin"])): True}
        if rng.random() < 0.001:
            wishes = {"rest": "a person asked for it"}
        action = torture.action()
        if rng.random() < 0.002:
            action = tuple(rng.choice(BAD, 3))
        torture.tick(action, **wishes)
        is_off = torture.guard.latched or not torture.guard.situation.is_armed
        if is_off and number % 10 == 0:
            torture.arm_again()
    return torture


def fault_sequence(seed, num=150):
    torture = Torture(seed)
    rng = torture.rng
    names = [
        "blocked",
        "pushed",
        "bus",
        "nan",
        "freeze",
        "hot",
        "black",
        "jump",
        "late",
        "repeat",
    ]
    torture.arm_again()
    for _ in range(num):
        for name in list(torture.faults):
            if rng.random() < 0.1:
                del torture.faults[name]
        if rng.random() < 0.06:
            torture.faults[str(rng.choice(names))] = True
        wishes = {"clear": rng.random() < 0.1, "arm": rng.random() < 0.1}
        wishes |= {
            "stop": "a person" if rng.random() < 0.01 else "",
            "home": rng.random() < 0.02,
        }
        torture.tick(torture.action(), **wishes)
    return torture


@pytest.mark.parametrize("seed", range(2))
def test_no_command_leads_outside(seed):
    torture = commands(seed, 500)
    assert not torture.check().any()
    assert {"ARMED", "MOVING", "STOPPED"} & torture.modes


@pytest.mark.parametrize("seed", range(6))
def test_no_fault_leads_outside(seed):
    fault_sequence(seed).check()


@pytest.mark.parametrize("seed", range(2))
def test_what_the_driver_is_given_keeps_the_limits(seed):
    """Through server, mailbox and arm: a client that sends anything, and a busy person."""
    rng = np.random.default_rng(seed)
    bench = Bench(seed=seed)
    words = ("stop", "clear", "arm", "home", "rest", "released")
    for _ in range(300):
        if rng.random() < 0.05:
            bench.person(str(rng.choice(words)))
        if rng.random() < 0.1:
            bench.deliver(bench.act_bytes(rng.normal(0, 10, 3), bench.next_seq()))
        if bench.mode in ("READY", "STOPPED") and rng.random() < 0.2:
            bench.person("clear", "arm")
        bench.run(DT_S * rng.integers(1, 5))
    assert len(bench.sent) > 700
    targets = np.array(bench.sent)
    steps_m = np.diff(bench.tools_m(), axis=0)
    limits = bench.config.limits
    assert np.isfinite(targets).all()
    assert np.linalg.norm(steps_m, axis=1).max() <= limits.speed_m_s * DT_S + 1e-8
    assert np.abs(np.diff(targets, axis=0)).max() <= limits.joint_speed_deg_s * DT_S + 1e-8
    changes_m = np.linalg.norm(np.diff(steps_m, axis=0), axis=1)
    assert changes_m.max() <= limits.acceleration_m_s2 * DT_S**2 + 1e-8


@pytest.mark.slow
def test_100_000_commands():
    for seed in range(100):
        assert not commands(1000 + seed, 1000).check().any()


@pytest.mark.slow
def test_1000_fault_sequences():
    modes, num_out = set(), 0
    for seed in range(1000):
        torture = fault_sequence(5000 + seed)
        num_out += int(torture.check().any())
        modes |= torture.modes
    assert modes == {"READY", "ARMED", "MOVING", "HOLD", "STOPPED"}
    assert num_out < 100


def come_home(torture):
    while torture.guard.situation.doing == "homing":
        torture.tick()
    assert not torture.guard.latched, torture.guard.latched


SAG_DEG = np.array([0.3, 2.0, 2.0, -0.5, 0.0, 0.0])
PINNED = {"box_low_m": (0.17, -0.10, 0.05), "box_high_m": (0.31, 0.10, 0.05)}


@pytest.mark.parametrize("limits", [{}, PINNED], ids=["three axes", "pinned height"])
def test_it_comes_home_from_every_pose_in_which_a_sagging_arm_was_left(limits):
    """The server begins at the measured pose, which has another pitch than the kinematics'."""
    config = config_with(limits=limits)
    rng = np.random.default_rng(0)
    for _ in range(3):
        torture = Torture(0, config)
        place_m = rng.uniform(config.limits.box_low_m, config.limits.box_high_m)
        joints = KINEMATICS.inverse(place_m, np.array(HOME))
        torture.arm.joints = torture.arm.target = joints + SAG_DEG
        torture.guard.connect(torture.arm.joints, 0.0)
        torture.arm_again()
        come_home(torture)
        assert not torture.check().any()


def test_rounding_at_the_wall_does_not_add_up():
    """A target that is outside by a rounding could once not be moved by any rule."""
    torture = Torture(0, config_with(limits=PINNED))
    torture.arm_again()
    come_home(torture)
    for number in range(400):
        torture.tick((1.0, np.sin(number / 7)))
        outside_m = torture.guard.envelope.outside_m(torture.guard.mover.setpoint.tool_m)
        assert outside_m <= 1.1e-9
        if number % 100 == 99:
            torture.tick(home=True)
            come_home(torture)


def test_a_target_within_a_micrometre_of_home_comes_to_rest():
    """Its joints once changed by their last digit for ever, and homing never ended."""
    config = config_with(limits=PINNED)
    envelope = Guard(config, KINEMATICS).envelope
    home_m = np.array(config.arm.home_m)
    rng = np.random.default_rng(0)
    for offset_m in rng.uniform(-5e-7, 5e-7, (300, 3)):
        near = KINEMATICS.inverse(home_m + offset_m * (1, 1, 0), np.array(HOME))
        setpoint = Setpoint(envelope, near)
        for _ in range(20):
            setpoint.move_tool(home_m, envelope.full)
        assert setpoint.is_at_rest


@pytest.mark.parametrize("limit", ["box", "speed", "acceleration"])
def test_the_check_sees_what_the_guard_would_let_through(limit, monkeypatch):
    from rig.robots import setpoint
    from rig.robots.envelope import Envelope

    if limit == "box":
        monkeypatch.setattr(Envelope, "_stays_in_box", lambda *_: True)
        monkeypatch.setattr(Envelope, "clipped", lambda _, tool_m: tool_m)
    if limit == "speed":
        monkeypatch.setattr(Envelope, "_is_slow", lambda *_: True)
        monkeypatch.setattr(setpoint, "speed_within_joints", lambda *_: 0.5)
    if limit == "acceleration":
        monkeypatch.setattr(Envelope, "_is_smooth", lambda *_: True)
        monkeypatch.setattr(setpoint, "limited", lambda vector, _: vector)
    with pytest.raises(AssertionError):
        assert not commands(0, 500).check().any()


def test_a_limit_in_the_file_is_the_limit_of_the_target():
    config = config_with(limits={"speed_m_s": 0.03})
    torture = Torture(0, replace(config))
    torture.arm_again()
    for _ in range(200):
        torture.tick((0.0, 1.0, 0.0))
    torture.check()
