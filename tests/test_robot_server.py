"""A robot's server and its client: on a simulated clock, and over a real socket."""

import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rig.errors import ConfigError, RobotError
from rig.robots.arm import Reading
from rig.robots.build import simulate
from rig.robots.client import RobotClient
from rig.robots.clock import SimulatedClock
from rig.robots.local_link import LocalLink
from rig.robots.read_config import parse, read_config


PERFECT = Path(__file__).parent.parent / "examples" / "robots" / "perfect.toml"


@pytest.fixture
def simulation():
    simulated = simulate(read_config(PERFECT))
    simulated.run(0.5)
    return simulated


@pytest.fixture
def robot(simulation):
    simulation.server.person("arm")
    client = RobotClient(LocalLink(simulation))
    assert client.wait_until_idle().mode == "ARMED"
    return client


def test_nothing_moves_before_a_person_arms_it(simulation):
    client = RobotClient(LocalLink(simulation))
    state = client.begin()
    assert state.mode == "READY"
    assert not client.act([1, 0, 0]).taken
    assert client.observe().target_m == state.target_m


def mode_of_an_arm_that_answers_after(word):
    """Says a word while the arm does not answer yet; returns the mode once it does."""
    simulated = simulate(read_config(PERFECT))
    server, read = simulated.server, simulated.server.arm.read
    server.arm.read = lambda: Reading(None)
    simulated.run(0.1)
    server.person(word)
    simulated.run(0.1)
    assert server.decision.mode == "OFF"
    server.arm.read = read
    simulated.run(0.2)
    return server.decision.mode


def test_what_was_said_before_the_arm_answered_arms_nothing():
    assert mode_of_an_arm_that_answers_after("arm") == "READY"


def test_actions_that_met_a_hold_make_no_later_one_wait():
    config = read_config(PERFECT)
    config = replace(config, session=replace(config.session, hold_to_run=True))
    simulation = simulate(config)
    tick, held = simulation.tick, [True]

    def tick_with_key():
        if held[0]:
            simulation.server.person("held")
        return tick()

    simulation.tick = tick_with_key
    simulation.run(0.5)
    simulation.server.person("arm")
    client = RobotClient(LocalLink(simulation))
    assert client.wait_until_idle().mode == "ARMED"
    held[0] = False
    simulation.run(0.5)
    assert {client.act([0, 0, 0]).mode for _ in range(60)} == {"HOLD"}
    held[0] = True
    simulation.run(0.3)
    before_s = client.begin().time_s
    assert client.act([1, 0, 0]).time_s - before_s < 1.5 * config.session.step_s


def test_a_word_during_a_read_that_blocks_arms_nothing(simulation):
    robot = simulation.server.arm.robot
    read = robot.get_observation

    def blocked():
        simulation.server.clock.advance(4.0)
        return read()

    simulation.server.person("arm")
    robot.get_observation = blocked
    simulation.tick()
    assert not simulation.server.guard.situation.is_armed


def test_an_arm_with_a_joint_past_its_limit_goes_to_rest(robot, simulation):
    arm = simulation.server.arm.robot
    arm.joints[5] = -10.0
    read = arm.get_observation
    arm.get_observation = lambda: {**(seen := read()), "gripper.pos": seen["gripper.pos"] - 0.1}
    simulation.server.person("rest")
    simulation.run(15.0)
    assert simulation.server.decision.mode == "READY"


def test_a_first_pose_that_is_not_finite_is_no_pose():
    """It would be the target for ever."""
    simulation = simulate(read_config(PERFECT))
    robot = simulation.server.arm.robot
    right, robot.joints = robot.joints, np.full(6, np.nan)
    simulation.run(0.2)
    assert simulation.server.decision.mode == "OFF"
    robot.joints = right
    simulation.run(0.2)
    assert simulation.server.decision.mode == "READY"
    np.testing.assert_allclose(robot.joints, right)


def test_a_stop_that_was_said_before_the_arm_answered_is_obeyed():
    assert mode_of_an_arm_that_answers_after("stop") == "STOPPED"


def test_an_action_of_one_is_a_whole_step_once_it_moves(robot):
    robot.begin()
    y_m = [robot.act([0, 1, 0]).target_m[1] for _ in range(6)]
    np.testing.assert_allclose(np.diff(y_m)[2:], 0.01, atol=1e-3)


def test_a_step_takes_its_time(robot):
    start_s = robot.begin().time_s
    for _ in range(10):
        state = robot.act([0, 0.5, 0])
    assert state.time_s - start_s == pytest.approx(1.0, abs=0.021)
    assert state.taken
    assert state.image.shape == (84, 84, 3)
    assert state.is_fresh


def test_settling_ends_with_an_image_taken_at_rest(robot, simulation):
    robot.begin()
    state = robot.act([1, 0, 0], settle=True)
    assert state.is_settled
    assert state.tool_m[0] == pytest.approx(0.25, abs=1e-4)


def test_the_age_of_an_image_counts_from_its_exposure(robot, simulation):
    state = robot.observe(1.0, until="frame")
    assert state.frame_age_ms >= 1000 * simulation.server.config.camera.age_s > 0
    assert state.is_fresh


def test_a_second_client_is_refused_with_one_line(robot, simulation):
    with pytest.raises(RobotError, match="learner has the lease"):
        RobotClient(LocalLink(simulation, b"other"), "other")


def test_a_lease_is_counted_by_its_own_clock_where_it_has_one(simulation):
    """In simulated time the guard's clock stands still while no client waits."""
    clock = SimulatedClock()
    simulation.server.lease.silence_clock = clock
    RobotClient(LocalLink(simulation)).observe(10.0)
    with pytest.raises(RobotError, match=r"was heard 0\.0 s ago"):
        RobotClient(LocalLink(simulation, b"other"), "other")
    clock.advance(simulation.server.config.wire.lease_s)
    RobotClient(LocalLink(simulation, b"other"), "other")


def test_home_brings_it_home(robot):
    robot.begin()
    for _ in range(5):
        robot.act([1, 1, 1])
    robot.home()
    state = robot.wait_until_idle()
    np.testing.assert_allclose(state.tool_m, robot.robot.home_m, atol=1e-3)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("box_low_m = [0.17", "box_low_m = [0.05", "less than 5 from its limits"),
        (
            "rest_deg = [0, -95",
            "rest_deg = [0, -98",
            "rest_deg of shoulder_lift must be from -95",
        ),
        ("fixed_deg = [0", "fixed_deg = [500", "fixed_deg of shoulder_pan must be"),
        ("[limits]", "[limits]\nspeed_m_s = 0.3", "speed_m_s must be from 0.001 to 0.25"),
        ("[limits]", "[limits]\nsped_m_s = 0.1", "did you mean 'speed_m_s'"),
        ("[limits]", "[limits]\nspeed_m_s = nan", "must be a number"),
        ("[arm]", '[wire]\naddress = "0.0.0.0"\n[arm]', "can be reached from other machines"),
        ("home_m = [0.24", "home_m = [0.4", "must be in the box"),
        ("home_m = [0.24", "home_m = [" + 400 * "9", "must be a number, got 999"),
        ('"so101"', '":x"', "':x' can't be loaded"),
        ('"so101"', '"..:x"', "'..:x' can't be loaded"),
        ("sim:perfect", "sim:prefect", None),
    ],
)
def test_a_wrong_file_is_one_line(old, new, match):
    text = PERFECT.read_text().replace(old, new)
    if match is None:
        with pytest.raises(ConfigError, match="did you mean 'sim:perfect'"):
            simulate(parse(text.encode(), "robot.toml"))
        return
    with pytest.raises(ConfigError, match=match):
        parse(text.encode(), "robot.toml")


def test_the_kinematics_is_one_for_so_many_joints():
    three = {"joints": '["a", "b", "c"]', "low_deg": "[-9, -9, -9]", "high_deg": "[9, 9, 9]"}
    three |= dict.fromkeys(("rest_deg", "fixed_deg"), "[0, 0, 0]")
    text = PERFECT.read_text()
    for key, value in three.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    with pytest.raises(ConfigError, match="'so101' does not work with 3 arm"):
        parse(text.encode(), "robot.toml")


def test_the_space_bar_holds_and_other_keys_stop():
    from rig.cli.robot_hold import pass_on

    words = []
    pass_on(["", " ", " ", "", "", " ", "x", " ", "q", " "], words.append)
    assert words == ["held", "held", "released", "held", "stop", "held", "released"]


@contextmanager
def served(tmp_path, *options, text=None, wire=""):
    """Runs a server process with a file; yields the endpoint and the process."""
    file = tmp_path / "robot.toml"
    file.write_text(
        (text or PERFECT.read_text())
        + f"\n[wire]\nport = 0\ncommand_s = 1.0\nanswer_s = 1.0\n{wire}"
    )
    command = [sys.executable, "-m", "rig", "robot", "serve", str(file), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        lines = iter(process.stderr.readline, "")
        serving = next(line for line in lines if "serving" in line)
        yield serving.split(" at ")[1].split()[0], file, process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def say(file, word):
    command = [sys.executable, "-m", "rig", "robot", word, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_server_process_is_armed_moved_and_stopped_over_real_sockets(tmp_path):
    with served(tmp_path) as (endpoint, file, _), RobotClient.connect(endpoint) as robot:
        time.sleep(0.3)
        say(file, "arm")
        assert robot.wait_until_idle().mode == "ARMED"
        state = robot.begin()
        start_s = state.time_s
        for _ in range(5):
            state = robot.act([1, 0, 0])
        assert 0.4 < state.time_s - start_s < 3.0  # a busy machine
        assert state.taken
        assert not state.spoiled
        assert say(file, "stop").startswith("STOPPED")
        assert robot.act([1, 0, 0]).mode == "STOPPED"
        assert say(file, "clear") == "READY"


@pytest.mark.slow
@pytest.mark.ci
def test_in_simulated_time_the_lease_of_a_killed_client_ends_too(tmp_path):
    code = "import sys; from rig.robots.client import RobotClient as R; R.connect(sys.argv[1])"
    with served(tmp_path, "--simulated-time", wire="lease_s = 0.6\n") as (endpoint, *_):
        subprocess.run([sys.executable, "-c", code, endpoint], check=True)  # no bye
        time.sleep(0.7)
        with RobotClient.connect(endpoint, "another") as robot:
            assert robot.observe().mode == "READY"


def test_the_servers_side_needs_neither_jax_nor_mujoco_nor_gymnasium():
    code = (
        "import sys\n"
        "absent = {'jax', 'mujoco', 'gymnasium', 'jaxtyping', 'tyro', 'annotated_types'}\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in absent:\n"
        "            raise ModuleNotFoundError(f'No module named {name}', name=name)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from rig.cli.main import main\n"
        "try:\n    main(['robot', 'serve', '--help'])\nexcept SystemExit:\n    pass\n"
        "import rig.robots.serve, rig.robots.client, rig.robots.perfect_arm\n"
        "print('ran')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["ran"], done.stderr
