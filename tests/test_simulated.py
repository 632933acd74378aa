"""The simulated SO-101: its geometry, and that it lags, sags and blinks as measured."""

from pathlib import Path

import mujoco
import numpy as np
import pytest

from rig.errors import ConfigError
from rig.robots.drivers import load_robot
from rig.robots.read_config import parse, read_config
from rig.robots.robot import ReadError, Robot
from rig.robots.so101_kinematics import HIGH, JOINTS, LOW, So101Kinematics
from rig.simulated.so101 import SimulatedSo101, load_model


FILE = Path(__file__).parent.parent / "examples" / "robots" / "sim_so101.toml"
HOME = (0.0, -13.0, 28.0, 55.0, 0.0, 0.0)


def joints(arm):
    seen = arm.get_observation()
    return np.array([seen[f"{name}.pos"] for name in JOINTS])


def send(arm, target):
    arm.send_action(dict(zip([f"{name}.pos" for name in JOINTS], target, strict=True)))


def test_kinematics_agree_with_the_model(rng):
    model = load_model()
    data = mujoco.MjData(model)
    for angles in rng.uniform(LOW, HIGH, (20, 6)) * [1, 1, 1, 1, 0, 1]:
        data.qpos[:6] = np.deg2rad(angles)
        mujoco.mj_kinematics(model, data)
        tool_m = So101Kinematics().forward(angles)
        np.testing.assert_allclose(data.site("tool").xpos, tool_m, atol=3e-4)


def test_published_poses():
    forward = So101Kinematics().forward
    np.testing.assert_allclose(forward(np.zeros(6)), (0.3914, 0, 0.2265), atol=1e-4)
    turned = forward(np.array([30.0, 0, 0, 0, 0, 0]))
    np.testing.assert_allclose(turned, (0.344, -0.176, 0.226), atol=5e-4)


def test_inverse_kinematics_keeps_the_pitch_without_jumps():
    config = read_config(FILE)
    kinematics = So101Kinematics(70.0)
    near = np.zeros(6)
    low, high = np.array(config.limits.box_low_m), np.array(config.limits.box_high_m)
    points = low + np.linspace(0, 1, 99)[:, None] * (high - low)
    path = [kinematics.inverse(point, near) for point in points]
    assert np.abs(np.diff(path, axis=0)).max() < 4
    for point, angles in zip(points, path, strict=True):
        np.testing.assert_allclose(kinematics.forward(angles), point)
        assert angles[1] + angles[2] + angles[3] == pytest.approx(70.0)


def test_it_has_the_robots_protocol():
    assert isinstance(SimulatedSo101(), Robot)


def test_it_lags_its_command_by_about_150_ms():
    arm = SimulatedSo101(start_deg=HOME, backlash_deg=0.0, sag_deg=0.0, late_commands=0.0)
    arm.advance(0.5)
    before = joints(arm)[0]
    send(arm, (5.0, *HOME[1:]))
    half_s = next(t for t in np.arange(0.01, 1, 0.01) if not arm.advance(0.01)
                  and joints(arm)[0] - before > 5 * (1 - np.exp(-1)))  # fmt: skip
    assert half_s == pytest.approx(0.15, abs=0.025)


def test_it_sags_with_the_load_and_a_perfect_one_does_not():
    def error_deg(**options):
        arm = SimulatedSo101(start_deg=HOME, read_errors=0.0, **options)
        arm.advance(1.0)
        return np.abs(joints(arm) - HOME).max()

    assert 0.7 < error_deg(backlash_deg=0.0) < 2.2
    arm = SimulatedSo101(start_deg=HOME, perfect=True)
    arm.advance(1.0)
    assert np.abs(joints(arm) - HOME).max() < 0.1


def test_frames_come_at_30_hz_with_age_and_noise():
    arm = SimulatedSo101(start_deg=HOME)
    frames = []
    for _ in range(500):
        arm.advance(0.004)
        if (frame := arm.camera.poll()) is not None:
            frames.append((arm.time_s, frame.astype(int)))
    assert 50 <= len(frames) <= 60
    assert 0.06 <= frames[0][0] <= 0.13
    levels = np.std(frames[-1][1] - frames[-2][1]) / np.sqrt(2)
    assert 0.3 < levels < 2.0


def test_the_same_seed_gives_the_same_bytes():
    def images(seed):
        arm = SimulatedSo101(seed)
        arm.advance(0.3)
        return arm.camera.poll()

    np.testing.assert_array_equal(images(3), images(3))
    assert (images(3) != images(4)).any()


@pytest.mark.parametrize("fault", ["freeze", "black", "white", "repeat"])
def test_faults_of_the_camera(fault):
    arm = SimulatedSo101(faults=[(fault, 1.0, 2.0)])
    arm.advance(0.95)
    assert arm.camera.poll() is not None
    arm.advance(0.25)
    seen = arm.camera.poll()
    arm.advance(0.1)
    if fault == "freeze":
        assert arm.camera.poll() is None
    elif fault == "repeat":
        np.testing.assert_array_equal(seen, arm.camera.poll())
    else:
        assert (seen.mean() < 8) == (fault == "black")
        assert (seen.mean() > 247) == (fault == "white")


def test_faults_of_the_arm():
    arm = SimulatedSo101(start_deg=HOME, read_errors=0.0)
    arm.faults.now.add("blocked")
    arm.advance(0.5)
    send(arm, np.array(HOME) + 20)
    arm.advance(1.0)
    moved = joints(arm) - HOME
    assert abs(moved[2]) < 2.5
    assert moved[0] > 15
    arm.faults.now.add("bus")
    with pytest.raises(ReadError):
        arm.get_observation()


def test_unknown_options_and_faults_are_named():
    with pytest.raises(ConfigError, match="did you mean 'lag_s'"):
        SimulatedSo101(lags=1)
    with pytest.raises(ConfigError, match="did you mean 'freeze'"):
        SimulatedSo101(faults=[("freez", 0, 1)])
    with pytest.raises(ConfigError, match="did you mean 'azimuth_deg'"):
        SimulatedSo101(view={"azimut_deg": 90})


@pytest.mark.parametrize(
    ("option", "match"),
    [
        ("seed = -1", "options of type 'sim:so101' are wrong"),
        ("view = 3", "view"),
        ("view = {lookat_m = 3}", "lookat_m must be a list"),
        ("start_deg = [1]", r"start_deg needs 6 numbers, got \[1\]"),
        ("frame_age_s = 0.1", "frame_age_s must be a list"),
        ("frame_age_s = [0.1]", r"frame_age_s is \[shortest, longest\]"),
        ("frame_rate_hz = 0", "frame_rate_hz must be from 1 to 1000"),
        ('dead_time_s = "x"', "dead_time_s must be a number"),
        ("read_errors = 2", "read_errors must be from 0 to 1"),
    ],
)
def test_an_option_that_makes_no_sense_is_one_line(option, match):
    text = FILE.read_text().replace("seed = 0\npuck = true", option)
    with pytest.raises(ConfigError, match=match):
        load_robot(parse(text.encode(), "robot.toml"))


def test_the_camera_stands_where_the_view_says():
    above, side = {"elevation_deg": -89.0}, {"elevation_deg": -25.0, "azimuth_deg": 110.0}
    images = [
        arm.camera.render(arm._data.qpos).astype(float)
        for arm in map(lambda view: SimulatedSo101(view=view), ({}, above, side))
    ]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(images[first] - images[second]).mean() > 10


def test_a_slope_brings_the_puck_back_and_a_flat_tray_does_not():
    corner = (0.16, -0.11)
    flat, sloped = SimulatedSo101(), SimulatedSo101(flat_m=[0.036, 0.07])
    for arm in (flat, sloped):
        arm.place_puck(*corner)
        arm.advance(4.0)
    np.testing.assert_allclose(flat.state_m[3:], corner, atol=0.002)
    np.testing.assert_allclose(sloped.state_m[3:], (0.204, -0.07), atol=0.006)
    with pytest.raises(ConfigError, match="flat_m"):
        SimulatedSo101(flat_m=[0.2, 0.07])
