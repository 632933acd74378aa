"""What must happen at each of 28 faults, and within how many milliseconds.

``SCENARIOS`` are run on the simulated SO-101 on a simulated clock. ``BREAKS`` says for each how
its rule is taken out; with that, the scenario has to fail.
"""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from robot_bench import HOME, Bench, config_with

from rig.errors import RobotError
from rig.robots import guard as guard_module
from rig.robots import mover as mover_module
from rig.robots import setpoint as setpoint_module
from rig.robots.arm import Arm
from rig.robots.client import RobotClient
from rig.robots.clock import SystemClock
from rig.robots.envelope import Envelope
from rig.robots.guard import Guard
from rig.robots.lease import Lease
from rig.robots.local_link import LocalLink
from rig.robots.mover import Mover
from rig.robots.rules import make_rules
from rig.robots.server import RobotServer
from rig.robots.setpoint import Setpoint


TICK_MS = 20


def stands_still(bench, within_ms=250):
    """The target stops within its limits, and stays where the arm is, about."""
    bench.until(lambda: bench.guard.mover.setpoint.is_at_rest, within_ms)
    target = bench.target
    bench.run(0.5)
    np.testing.assert_array_equal(bench.target, target)
    assert np.abs(bench.joints - target).max() < bench.config.limits.following_error_deg


def silent_learner():
    bench = Bench()
    bench.move(num=4)
    start_s = bench.now_s
    bench.deliver(bench.act_bytes([0, 1, 0], bench.next_seq()))
    bench.until_mode("HOLD", 250, start_s)
    stands_still(bench)
    assert bench.client.observe().spoiled


def late_wire():
    bench = Bench()
    bench.move(num=4)
    start_s = bench.now_s
    late = bench.act_bytes([0, 1, 0], bench.next_seq())
    bench.until_mode("HOLD", 250, start_s)
    bench.run(1.0 - (bench.now_s - start_s))
    target = bench.target
    bench.deliver(late)
    bench.run(0.3)
    np.testing.assert_array_equal(bench.target, target)


def freeze(bench):
    """Freezes the camera; returns when the last frame came."""
    bench.robot.faults.now.add("freeze")
    bench.run(0.14)  # frames under way still arrive
    return bench.server.camera.newest.facts.time_s


def keep_acting(bench, is_so, num=60, action=(0.0, 0.3, 0.0)):
    """Acts until something is so; looks after each action."""
    for _ in range(num):
        if is_so():
            return
        bench.client.act(action)


def frozen_camera():
    bench = Bench()
    bench.move(num=3)
    bench.robot.faults.now.add("freeze")
    keep_acting(bench, lambda: bench.mode == "HOLD", 5)
    last_s = bench.server.camera.newest.facts.time_s
    bench.until_mode("HOLD", 220, last_s)
    target = bench.target
    state = bench.client.act([0.0, 1.0, 0.0])
    assert (state.taken, state.is_fresh, state.spoiled) == (False, False, True)
    assert np.abs(bench.target - target).max() < 1.5  # it only brakes
    bench.robot.faults.now.clear()
    bench.until(lambda: bench.mode == "ARMED", 250)


def lost_camera():
    bench = Bench()
    last_s = freeze(bench)
    bench.until_mode("STOPPED", 2020, last_s)


def repeated_frames():
    bench = Bench()
    bench.robot.faults.now.add("repeat")
    digests = []

    def has_repeated():
        digests.append(bench.server.camera.newest.facts)
        return any(
            new.seq > old.seq and new.digest == old.digest for old, new in pairwise(digests)
        )

    bench.until(has_repeated, 250)
    bench.until_mode("HOLD", 350)
    bench.robot.faults.now.clear()
    bench.until(lambda: bench.mode == "ARMED", 250)


def bad_picture(fault):
    def scenario():
        bench = Bench()
        mean = bench.server.camera.newest.facts.mean
        bench.robot.faults.now.add(fault)
        bench.until(lambda: abs(bench.server.camera.newest.facts.mean - mean) > 40, 200)
        start_s = bench.server.camera.newest.facts.time_s
        bench.until_mode("HOLD", 50, start_s)
        bench.until_mode("STOPPED", 1050, start_s)

    return scenario


def not_a_number(number):
    def scenario():
        bench = Bench()
        bench.move(num=2)
        num = len(bench.sent)
        bench.deliver(bench.act_bytes([number, 0.5, 0.5], bench.next_seq()))
        bench.tick()
        assert bench.mode == "STOPPED"
        bench.run(0.5)
        assert np.isfinite(bench.sent[num:]).all()
        assert bench.log_has("not finite")

    return scenario


def too_large_action():
    def y_of(size):
        bench = Bench()
        for _ in range(6):
            bench.client.act([0.0, size, 0.0])
        return bench.client.observe().clipped, bench.tools_m()[-1][1]

    num_usual, usual_m = y_of(1.0)
    num_clipped, clipped_m = y_of(1.9)
    assert (num_usual, num_clipped) == (0, 6)
    assert clipped_m == pytest.approx(usual_m, abs=1e-9)


def out_of_the_box():
    rng = np.random.default_rng(0)
    bench = Bench()
    for direction in ([1, 1, 1], [-1, -1, -1], [1, -1, -1]):
        for _ in range(14):
            bench.client.act(direction + rng.normal(0, 0.1, 3))
    low_m, high_m = bench.guard.envelope.low_m, bench.guard.envelope.high_m
    tools_m = bench.tools_m(bench.sent[30:])
    assert np.ptp(tools_m, axis=0).min() > 0.04
    assert (tools_m >= low_m - 1e-9).all()
    assert (tools_m <= high_m + 1e-9).all()


def pushed_out():
    config = config_with(limits={"following_error_deg": 30.0})
    bench = Bench(config, start_deg=HOME)
    bench.move((0.0, -1.0, 0.0), num=14)
    bench.robot.faults.now.add("pushed")

    def outside_m():
        return bench.guard.envelope.outside_m(bench.kinematics.forward(bench.joints))

    keep_acting(bench, lambda: outside_m() > config.limits.box_tolerance_m)
    start_s = bench.now_s
    bench.until_mode("HOLD", 40, start_s)
    bench.run(0.3)  # it brakes
    before_m = bench.tools_m()[-1]
    bench.robot.faults.now.clear()
    num = len(bench.sent)
    bench.until(lambda: bench.mode == "ARMED", 3000)
    tools_m = np.array([before_m, *bench.tools_m(bench.sent[num:])])
    assert (np.diff(tools_m[:, 1]) >= -1e-9).all()  # inward is to the left
    assert np.linalg.norm(np.diff(tools_m, axis=0), axis=1).max() <= 0.05 * 0.02 + 1e-9


def near_joint_limit():
    config = config_with()
    high = (16.0, *config.arm.high_deg[1:])
    bench = Bench(replace(config, arm=replace(config.arm, high_deg=high)), is_calibrated=None)
    bench.move((0.0, -1.0, 0.0), num=10)
    pans = np.array(bench.sent)[:, 0]
    assert 8.0 < pans.max() <= 11.0 + 1e-6
    bench.move((0.0, 1.0, 0.0), num=3)
    assert bench.target[0] < pans.max() - 0.5


def past_joint_limit():
    bench = Bench()
    low = (*bench.guard.envelope.low[:3], 58.0, *bench.guard.envelope.low[4:])
    bench.guard.envelope.low = np.array(low)  # the wrist is at 54.9
    bench.until_mode("HOLD", 40)


def fastest(bench, num_skipped=30):
    joints = np.array(bench.sent[num_skipped:])
    tools_m = bench.tools_m(bench.sent[num_skipped:])
    speeds = np.linalg.norm(np.diff(tools_m, axis=0), axis=1) / 0.02
    accelerations = np.linalg.norm(np.diff(tools_m, 2, axis=0), axis=1) / 0.02**2
    return speeds.max(), np.abs(np.diff(joints, axis=0)).max() / 0.02, accelerations.max()


def erratic(bench):
    rng = np.random.default_rng(1)
    for _ in range(40):
        bench.client.act(rng.choice([-1.0, 0.0, 1.0], 3))
    return fastest(bench)


def speed():
    bench = Bench()
    speed_m_s, joint_deg_s, _ = erratic(bench)
    assert 0.05 < speed_m_s <= 0.10 + 1e-6
    assert joint_deg_s <= 40 + 1e-6


def acceleration():
    assert 0.2 < erratic(Bench())[2] <= 0.5 + 1e-6


def blocked_arm():
    """Blocks the elbow while it moves; returns when it was 10 deg from its target."""
    bench = Bench()
    inwards = (-1.0, 0.0, 0.0)
    bench.move(inwards, num=2)
    bench.robot.faults.now.add("blocked")
    far_s = []

    def is_stopped():
        if np.abs(bench.joints - bench.target).max() > 10:
            far_s.append(bench.now_s)
        return bench.mode == "STOPPED"

    tick = bench.simulation.tick
    bench.simulation.tick = lambda: (tick(), is_stopped())[0]
    keep_acting(bench, is_stopped, 12, inwards)
    assert is_stopped()
    return bench, far_s[0]


def blocked_arm_stops():
    bench, far_s = blocked_arm()
    stopped_s = bench.guard.situation.started_s  # its goal was dropped then
    assert 300 - TICK_MS <= 1000 * (stopped_s - far_s) <= 340
    assert bench.log_has("limit 10 deg for 0.3 s")


def blocked_arm_is_not_pressed():
    bench, _ = blocked_arm()
    bench.run(1.5)
    assert np.abs(bench.joints - bench.target).max() < 2.0


def unhealthy(fault):
    def scenario():
        bench = Bench()
        bench.robot.faults.now.add(fault)
        bench.until_mode("HOLD", 40)
        bench.until_mode("STOPPED", 240)

    return scenario


def dead_bus():
    bench = Bench()
    bench.robot.faults.now.add("bus")
    bench.until_mode("STOPPED", 150)
    bench.person("clear")
    assert bench.mode == "STOPPED"
    bench.robot.faults.now.clear()
    bench.tick()
    assert bench.mode == "STOPPED"
    bench.person("clear")
    assert bench.mode == "READY"


def power_comes_back():
    bench = Bench()
    bench.robot.faults.now.add("bus")
    bench.until_mode("STOPPED", 150)
    num = len(bench.sent)
    bench.run(0.3)
    assert len(bench.sent) == num  # nothing is sent into the void
    bench.robot._data.qpos[1] += np.deg2rad(25.0)  # it fell
    bench.robot._data.qpos[3] -= np.deg2rad(25.0)
    bench.robot.faults.now.clear()
    bench.tick()
    assert np.abs(bench.target - bench.joints).max() < 1.0
    bench.run(0.5)
    assert np.ptp(np.array(bench.sent[num:]), axis=0).max() < 0.1


def writes_fail():
    bench = Bench()

    def failing(_):
        raise ConnectionError("no status packet")

    bench.robot.send_action = failing
    bench.until_mode("STOPPED", 150)


def not_a_pose():
    bench = Bench()
    bench.robot.faults.now.add("nan")
    bench.until_mode("STOPPED", 150)
    assert np.isfinite(bench.sent).all()


def stop_button(who):
    def scenario():
        bench = Bench()
        bench.move(num=3)
        bench.deliver(bench.act_bytes([0, 1, 0], bench.next_seq()))
        start_s = bench.now_s
        if who == "person":
            bench.server.person("stop")
        else:
            bench.server.handle(b"stranger", [b'{"v":1,"type":"stop","seq":0}'])
        bench.until_mode("STOPPED", 50, start_s)
        stands_still(bench)

    return scenario


def key_not_held():
    bench = Bench(config_with(session={"hold_to_run": True}), arm=False)
    bench.person("held", "arm")
    for _ in range(60):
        bench.person("held")
    assert bench.mode == "ARMED"
    start_s = bench.now_s
    bench.until_mode("HOLD", 250, start_s)
    bench.person("held")
    assert bench.mode == "ARMED"
    start_s = bench.now_s
    bench.server.person("released")
    bench.until_mode("HOLD", 100, start_s)


def key_let_go_while_homing():
    bench = Bench(config_with(session={"hold_to_run": True}), arm=False)
    bench.person("held", "arm")
    bench.run(2 * bench.config.session.homing_s)
    assert bench.mode == "HOLD"
    assert bench.log_has("HOLD: the hold-to-run key is not held")
    for _ in range(60):
        bench.person("held")
    assert bench.mode == "ARMED"


def wall_clock_set():
    clock, real = SystemClock(), time.time
    before_s = clock.now_s()
    time.time = lambda: real() + 3600
    try:
        assert 0 <= clock.now_s() - before_s < 60
    finally:
        time.time = real


def suspended():
    bench = Bench()
    bench.move(num=3)
    queued = bench.act_bytes([0, 1, 0], bench.next_seq())
    target_m = bench.tools_m()[-1]
    bench.simulation._clock.advance(5.0)
    bench.robot.advance(5.0)
    bench.deliver(queued)
    bench.until(lambda: bench.mode == "HOLD", 20)
    bench.run(0.5)
    assert bench.log_has("did not run for 5.0")
    assert np.linalg.norm(bench.tools_m()[-1] - target_m) < 0.012  # it braked
    assert bench.client.observe().spoiled


def flood():
    bench = Bench()
    bench.move((0.0, 0.0, 0.0), num=2)
    seq, oldest = bench.next_seq(), bench.act_bytes([0, -1, 0], bench.next_seq())
    for number in range(150):  # 500 Hz for 0.3 s
        seq += 1
        data = bench.act_bytes([0, 1, 0], seq, bench.server._seq)
        bench.deliver(data)
        bench.deliver(data)
        bench.deliver(oldest)
        if number % 10 == 9:
            bench.tick()
    y_m = bench.tools_m()[:, 1]
    assert y_m.max() > 0.01
    assert (np.diff(y_m) >= -1e-9).all()
    assert fastest(bench)[0] <= 0.10 + 1e-6


def second_client():
    bench = Bench()
    start_s = bench.now_s
    with pytest.raises(RobotError, match="has the lease") as caught:
        RobotClient(LocalLink(bench.simulation, b"other"), "other")
    assert "\n" not in str(caught.value)
    assert 1000 * (bench.now_s - start_s) <= 50


def connected_elsewhere():
    away = (20.0, -30.0, 40.0, 60.0, 0.0, 0.0)
    bench = Bench(arm=False, start_deg=away)
    assert np.abs(bench.sent[0] - away).max() < 1.5  # play and sag


def ramp_after_arming():
    bench = Bench(arm=False, start_deg=(20.0, -30.0, 40.0, 60.0, 0.0, 0.0))
    bench.person("arm")
    num = len(bench.sent)
    bench.run(0.3)
    assert fastest(bench, num)[0] <= 0.35 * 0.05 + 1e-6
    assert fastest(bench, num)[1] <= 0.35 * 30 + 1e-6


def endless_homing():
    bench = Bench(
        config_with(session={"homing_s": 1.0}), arm=False, start_deg=(60.0, *HOME[1:])
    )
    start_s = bench.now_s
    bench.person("arm")
    bench.until_mode("STOPPED", 1000 + TICK_MS, start_s)
    assert bench.client.begin().mode == "STOPPED"
    assert not bench.client.act([0, 1, 0]).taken


def asked_to_end():
    bench = Bench()
    bench.move(num=2)
    start_s = bench.now_s
    bench.server.rest("the server was asked to end")
    bench.until(lambda: bench.doing == "resting", 100, start_s)
    bench.until(lambda: bench.mode == "READY", 15000, start_s)
    assert np.abs(bench.target - bench.config.arm.rest_deg).max() < 0.1
    assert fastest(bench)[0] <= 0.10 + 1e-6
    assert bench.robot.is_connected


def broken_server():
    bench = Bench()
    bench.move(num=3)
    target = bench.target
    bench.guard.rules["camera"].check = lambda *_: 1 / 0
    bench.tick()
    assert bench.mode == "STOPPED"
    bench.run(0.2)
    np.testing.assert_array_equal(bench.target, target)


def killed_server():
    bench = Bench()
    bench.move((-1.0, 1.0, 0.0), num=8)
    bench.robot.advance(5.0)
    seen = bench.robot.get_observation()
    joints = np.array([seen[f"{name}.pos"] for name in bench.config.arm.joints])
    assert np.abs(joints - bench.joints).max() < 10.0
    assert np.abs(joints - bench.target).max() < 3.0


def not_calibrated():
    bench = Bench(arm=False)
    robot = bench.robot
    for calibrated, ranges in ((False, {}), (True, {"elbow_flex": 150.0})):
        robot.is_calibrated, robot.joint_ranges_deg = calibrated, ranges
        arm = Arm(robot, bench.config.arm.joints)
        bench.guard.calibration_problem = arm.calibration_problem(bench.config.arm)
        bench.person("arm")
        assert bench.mode == "READY"
        assert bench.log_has("calibrat")


def stays_stopped():
    bench = Bench()
    bench.person("stop")
    for request in (bench.client.begin, bench.client.home, bench.client.observe):
        assert request().mode == "STOPPED"
    assert not bench.client.act([0, 1, 0]).taken
    bench.client.close()
    again = RobotClient(LocalLink(bench.simulation))
    assert again.home().mode == "STOPPED"
    bench.person("arm")
    assert bench.mode == "STOPPED"
    bench.person("clear")
    assert bench.mode == "READY"
    num = len(bench.sent)
    bench.person("arm")
    bench.run(0.5)
    assert bench.doing == "homing" or bench.mode == "ARMED"
    assert fastest(bench, num)[0] <= 0.05 + 1e-6


def time_is_spent(key):
    def scenario():
        bench = Bench(config_with(session={key: 2.0}))
        start_s = bench.guard.mover.armed_s
        if key == "episode_s":
            start_s = bench.guard.situation.episode_s
        bench.until(lambda: bench.doing == "resting", 2000 + 100, start_s)
        bench.until(lambda: bench.mode == "READY", 15000)
        assert np.abs(bench.target - bench.config.arm.rest_deg).max() < 0.1

    return scenario


SCENARIOS = {
    "1 learner silent": silent_learner,
    "2 wire delayed 1 s": late_wire,
    "3 no newer frame": frozen_camera,
    "4 no newer frame for 2 s": lost_camera,
    "5 same bytes": repeated_frames,
    "6 black": bad_picture("black"),
    "6 white": bad_picture("white"),
    "6 jump": bad_picture("jump"),
    "7 nan": not_a_number(float("nan")),
    "7 inf": not_a_number(float("inf")),
    "8 action above 1": too_large_action,
    "9 target outside": out_of_the_box,
    "10 tool outside": pushed_out,
    "11 near joint limit": near_joint_limit,
    "11 past joint limit": past_joint_limit,
    "12 speed": speed,
    "13 acceleration": acceleration,
    "14 blocked": blocked_arm_stops,
    "14 no pressing": blocked_arm_is_not_pressed,
    "15 hot": unhealthy("hot"),
    "15 overload": unhealthy("overload"),
    "15 brownout": unhealthy("brownout"),
    "16 bus": dead_bus,
    "16 power comes back": power_comes_back,
    "16 writes fail": writes_fail,
    "16 nan pose": not_a_pose,
    "17 stop by a person": stop_button("person"),
    "17 stop by a stranger": stop_button("stranger"),
    "18 hold-to-run": key_not_held,
    "18 hold-to-run, homing": key_let_go_while_homing,
    "19 wall clock": wall_clock_set,
    "19 suspended": suspended,
    "20 flood": flood,
    "21 second client": second_client,
    "22 first target": connected_elsewhere,
    "22 ramp": ramp_after_arming,
    "23 homing": endless_homing,
    "24 asked to end": asked_to_end,
    "24 exception": broken_server,
    "25 killed server": killed_server,
    "26 calibration": not_calibrated,
    "27 stays stopped": stays_stopped,
    "28 motors on": time_is_spent("motor_on_s"),
    "28 episode": time_is_spent("episode_s"),
}


def without(rule):
    """Takes a rule out of the guard."""

    def break_it(patch):
        def others(config, envelope):
            return {
                name: each
                for name, each in make_rules(config, envelope).items()
                if name != rule
            }

        patch.setattr(guard_module, "make_rules", others)

    return break_it


def never_stops(rule):
    """Leaves a rule its hold, but takes its stop."""

    def break_it(patch):
        def softened(config, envelope):
            rules = make_rules(config, envelope)
            check = rules[rule].check
            rules[rule].check = lambda *args: (
                replace(found, stops=False) if (found := check(*args)) else None
            )
            return rules

        patch.setattr(guard_module, "make_rules", softened)

    return break_it


def put(*changes):
    """Puts other code in the place of a rule's."""

    def break_it(patch):
        for target, name, value in changes:
            patch.setattr(target, name, value)

    return break_it


def unlatched(self, inputs, findings, *, latch=Guard._latch):
    self.latched = None
    latch(self, inputs, findings)


def jumping(self, goal_m, caps):
    joints = self._envelope.kinematics.inverse(self._envelope.low_m, self.now)
    self.before, self.now = self.now, joints


def always(value):
    return lambda *_, **__: value


BREAKS = {
    "1": without("command"),
    "2": put((Lease, "is_late", always(False))),
    "3": without("camera"),
    "4": never_stops("camera"),
    "5": without("repeat"),
    "6": without("picture"),
    "7": put((guard_module, "is_broken", always(False))),
    "8": put((mover_module, "clipped", lambda action: np.array(action, float))),
    "9": put((Envelope, "clipped", lambda _, tool_m: tool_m),
             (Envelope, "_stays_in_box", always(True))),
    "10": without("box"),
    "11 near joint limit": put((Envelope, "_stays_in_joint_limits", always(True))),
    "11 past joint limit": without("joint limit"),
    "12": put((Envelope, "_is_slow", always(True)),
              (setpoint_module, "speed_within_joints", always(0.5))),
    "13": put((Envelope, "_is_smooth", always(True)),
              (setpoint_module, "limited", lambda vector, _: vector)),
    "14 blocked": without("following"),
    "14 no pressing": put((Mover, "_retreat", lambda self, _: self.setpoint.now)),
    "15": without("health"),
    "16": without("bus"),
    "16 power comes back": put((Mover, "rebase", always(None))),
    "17": put((RobotServer, "stop", always(None))),
    "18": without("hold-to-run"),
    "19 wall clock": put((SystemClock, "now_s", lambda _: time.time())),
    "19 suspended": without("gap"),
    "20": put((Lease, "check", always(""))),
    "21": put((Lease, "take", always(""))),
    "22 first target": put((guard_module, "Mover", lambda config, envelope, _, now_s: Mover(
        config, envelope, np.array(config.arm.rest_deg), now_s))),
    "22 ramp": put((Mover, "_ramp", always(1.0))),
    "23": without("homing"),
    "24 asked to end": put((RobotServer, "rest", always(None))),
    "24 exception": put((RobotServer, "tick", RobotServer._tick)),
    "25": put((Setpoint, "move_tool", jumping)),
    "26": put((Arm, "calibration_problem", always(""))),
    "27": put((Guard, "_latch", unlatched)),
    "28": put((guard_module, "spent", always(""))),
}  # fmt: skip
"""By the scenario's name, or by its number where all of the number share a rule."""


@pytest.mark.parametrize("name", SCENARIOS)
def test_fault(name):
    SCENARIOS[name]()


def test_every_fault_has_a_scenario_and_a_break():
    assert {name.split()[0] for name in SCENARIOS} == {str(number) for number in range(1, 29)}
    assert all(name in BREAKS or name.split()[0] in BREAKS for name in SCENARIOS)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_fault_is_seen_once_its_rule_is_taken_out(name, monkeypatch):
    (BREAKS.get(name) or BREAKS[name.split()[0]])(monkeypatch)
    with pytest.raises((AssertionError, ZeroDivisionError, RobotError, pytest.fail.Exception)):
        SCENARIOS[name]()
