"""Adapters against stand-ins of what they drive; the real classes are in the slow tests."""

import sys
from dataclasses import dataclass, field, replace
from types import MappingProxyType, ModuleType, SimpleNamespace

import numpy as np
import pytest

from rig.adapters.latest import Latest, TopicCamera
from rig.adapters.lerobot import checked
from rig.adapters.ros_messages import image_of, joints_of
from rig.adapters.sawyer import SawyerRobot
from rig.adapters.sawyer_kinematics import SawyerKinematics
from rig.errors import ConfigError
from rig.robots.arm import Arm
from rig.robots.build import simulate
from rig.robots.camera_feed import PolledFeed
from rig.robots.drivers import load_robot
from rig.robots.read_config import read_config
from rig.robots.robot import ReadError, Robot


@pytest.fixture
def module(monkeypatch):
    """Adds a module that is not installed here."""

    def add(name, **content):
        new = ModuleType(name)
        new.__dict__.update(content)
        new.__path__ = []
        monkeypatch.setitem(sys.modules, name, new)
        return new

    return add


def ros_image(encoding, pixels, padding=0):
    """A ``sensor_msgs/Image``, whose rows may be longer than its pixels."""
    height, width, _ = pixels.shape
    rows = np.pad(pixels.reshape(height, -1), ((0, 0), (0, padding)))
    return SimpleNamespace(
        encoding=encoding, height=height, width=width, step=rows.shape[1], data=rows.tobytes()
    )


@pytest.mark.parametrize("padding", [0, 5])
def test_an_image_is_rgb_whatever_its_encoding(rng, padding):
    rgb = rng.integers(0, 256, (4, 6, 3), np.uint8)
    np.testing.assert_array_equal(image_of(ros_image("rgb8", rgb, padding)), rgb)
    np.testing.assert_array_equal(image_of(ros_image("bgr8", rgb[..., ::-1], padding)), rgb)
    alpha = np.concatenate([rgb, np.zeros((4, 6, 1), np.uint8)], axis=2)
    np.testing.assert_array_equal(image_of(ros_image("rgba8", alpha, padding)), rgb)


def test_an_image_of_a_wrong_size_or_kind_is_a_failed_read(rng):
    image = ros_image("rgb8", rng.integers(0, 256, (4, 6, 3), np.uint8))
    image.height = 5
    with pytest.raises(ReadError, match="no image of 6 x 5"):
        image_of(image)
    with pytest.raises(ReadError, match="encoding '16UC1'"):
        image_of(SimpleNamespace(encoding="16UC1", height=1, width=1))


def test_joints_are_found_by_name_and_are_degrees():
    message = SimpleNamespace(name=["b", "gripper", "a"], position=[np.pi, 0.0, np.pi / 2])
    found = joints_of(message, ("a", "b"), np.degrees(1))
    assert found == pytest.approx({"a.pos": 90, "b.pos": 180})
    with pytest.raises(ReadError, match="has no 'c'"):
        joints_of(message, ("c",), 1.0)


def test_an_old_message_is_a_failed_read():
    latest = Latest()
    with pytest.raises(ReadError, match="no message yet"):
        latest.get(1.0)
    latest.put("one")
    assert latest.get(1.0) == "one"
    with pytest.raises(ReadError, match="s old"):
        latest.get(-1.0)


def test_a_camera_never_gives_an_image_twice(rng):
    camera = TopicCamera()
    pixels = rng.integers(0, 256, (4, 4, 3), np.uint8)
    camera.latest.put(ros_image("rgb8", pixels))
    np.testing.assert_array_equal(camera.async_read(), pixels)
    with pytest.raises(TimeoutError):
        camera.async_read(timeout_ms=10)


class Follower:
    """A robot in LeRobot's shape."""

    name = "so101_follower"
    is_connected = False
    is_calibrated = True
    observation_features = action_features = MappingProxyType({"pan.pos": float})

    def __init__(self, config):
        self.config = config
        self.calibrated_by = None

    def connect(self, calibrate=True):
        self.calibrated_by = calibrate

    def configure(self): ...
    def get_observation(self): ...
    def send_action(self, action): ...
    def disconnect(self): ...


@dataclass
class FollowerConfig:
    port: str
    disable_torque_on_disconnect: bool = True
    max_relative_target: float | None = None
    cameras: dict = field(default_factory=dict)
    use_degrees: bool = False


@dataclass
class CameraConfig:
    index_or_path: int
    fps: int = 30


def registry_of(classes):
    return SimpleNamespace(
        get_known_choices=lambda: classes, get_choice_class=lambda name: classes[name]
    )


@pytest.fixture
def lerobot(module):
    """LeRobot, as far as the adapter uses it."""
    module("lerobot")
    module(
        "lerobot.robots",
        RobotConfig=registry_of({"so101_follower": FollowerConfig}),
        make_robot_from_config=Follower,
    )
    module("lerobot.cameras", CameraConfig=registry_of({"opencv": CameraConfig}))


def lerobot_config(kind="so101_follower", **options):
    config = read_config("examples/robots/so101.toml")
    options = {"port": "/dev/ttyACM0"} | options
    return replace(config, type=f"lerobot:{kind}", options=options)


def test_a_robot_of_lerobot_keeps_its_torque_and_is_never_calibrated(lerobot):
    cameras = {"front": {"type": "opencv", "index_or_path": 2}}
    robot = load_robot(lerobot_config(cameras=cameras))
    assert isinstance(robot, Robot)
    assert not robot.config.disable_torque_on_disconnect
    assert robot.config.use_degrees
    assert robot.config.cameras == {"front": CameraConfig(index_or_path=2)}
    Arm(robot, ("pan",)).connect()
    assert robot.calibrated_by is False


class Seen(Follower):
    """A follower that looks at its cameras in each read and write, as LeRobot's does."""

    observation_features = action_features = MappingProxyType({"pan.pos": float})

    def __init__(self, config=None):
        super().__init__(config)
        self.cameras = {"front": FrozenCamera()}

    def get_observation(self):
        return {"pan.pos": 1.0, **{key: cam.read_latest() for key, cam in self.cameras.items()}}

    def send_action(self, action):
        if not all(cam.is_connected for cam in self.cameras.values()):
            raise ConnectionError("not connected")

    def disconnect(self):
        for cam in self.cameras.values():
            cam.is_closed = True


class FrozenCamera:
    is_connected = is_closed = False

    def read_latest(self):
        raise TimeoutError("the latest frame is 512 ms old")


def test_a_frozen_camera_is_no_dead_bus():
    robot = Seen()
    arm, (camera,) = Arm(robot, ("pan",)), robot.cameras.values()
    assert arm.read().joints is None
    arm.take_cameras()
    assert arm.read().joints == [1.0]
    assert arm.write(np.array([1.0]))
    arm.disconnect()
    assert camera.is_closed


def test_an_arm_keeps_cameras_that_can_t_be_taken():
    robot = SimpleNamespace(action_features={"pan.pos": float}, disconnect=lambda: None)
    fixed = type("Fixed", (SimpleNamespace,), {"cameras": property(lambda _self: {"a": 1})})
    arm = Arm(fixed(**vars(robot)), ("pan",))
    arm.take_cameras()
    arm.disconnect()
    assert arm.robot.cameras == {"a": 1}


def test_the_server_leaves_the_cameras_to_their_feed():
    server = simulate(read_config("examples/robots/perfect.toml")).server
    assert server.arm.robot.cameras == {}
    assert isinstance(server.camera, PolledFeed)


def calibrated(lift_ticks, norm_mode="DEGREES"):
    """A follower of LeRobot with a calibration; its gripper is in percent."""
    joints = read_config("examples/robots/so101.toml").arm.joints
    robot = Follower(None)
    robot.action_features = {f"{joint}.pos": float for joint in joints}
    modes = dict.fromkeys(joints, norm_mode) | {"gripper": "RANGE_0_100"}
    motors = {
        name: SimpleNamespace(norm_mode=SimpleNamespace(name=modes[name])) for name in modes
    }
    ticks = dict(zip(joints, (2503, lift_ticks, 2202, 2161, 4095, 1500), strict=True))
    robot.bus = SimpleNamespace(motors=motors)
    robot.calibration = {
        joint: SimpleNamespace(range_min=100, range_max=100 + num)
        for joint, num in ticks.items()
    }
    return Arm(checked(robot, "so101_follower"), joints)


def test_the_calibration_of_another_arm_is_found_on_lerobot_s_arms():
    config = read_config("examples/robots/so101.toml").arm
    assert calibrated(2275).calibration_problem(config) == ""
    found = calibrated(2047).calibration_problem(config)
    assert found.startswith(
        "shoulder_lift is calibrated to 180 deg of range, its limits span 200"
    )
    assert calibrated(2047, "RANGE_M100_100").calibration_problem(config) == ""


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (lerobot_config("so101_folower"), "did you mean 'so101_follower'"),
        (lerobot_config(prot="x"), "no option 'prot': did you mean 'port'"),
        (lerobot_config(max_relative_target=5), "must be 5.0, not 5"),
    ],
)
def test_a_mistake_in_lerobot_s_options_is_one_line(lerobot, config, message):
    with pytest.raises(ConfigError, match=message):
        load_robot(config)


def test_without_lerobot_the_message_says_which_python(module):
    with pytest.raises(ConfigError, match="in the Python that drives the robot"):
        load_robot(lerobot_config())


def test_any_function_may_make_a_robot_in_lerobot_s_shape(module):
    module("my_arm", make=lambda port: Follower(port), broken=lambda port: object())
    assert load_robot(lerobot_config("my_arm:make")).config == "/dev/ttyACM0"
    with pytest.raises(ConfigError, match="makes no robot"):
        load_robot(lerobot_config("my_arm:broken"))


class Topics:
    """Stands in for ``rospy``."""

    def __init__(self):
        self.sent, self.callbacks = {}, {}

    def init_node(self, name, disable_signals):
        assert disable_signals, "the server handles signals"

    def Subscriber(self, topic, kind, callback, queue_size):  # noqa: N802
        self.callbacks[topic] = callback
        return SimpleNamespace(unregister=lambda: self.callbacks.pop(topic))

    def Publisher(self, topic, kind, **_):  # noqa: N802
        publish = self.sent.setdefault(topic, []).append
        return SimpleNamespace(publish=publish, unregister=lambda: None)


@pytest.fixture
def sawyer(module):
    topics = Topics()
    module("rospy", **{name: getattr(topics, name) for name in dir(topics) if name[0] != "_"})
    module("intera_core_msgs")
    module("intera_core_msgs.msg", JointCommand=SimpleNamespace)
    for package in ("sensor_msgs", "std_msgs"):
        module(package)
    module("sensor_msgs.msg", Image=object, JointState=object)
    module("std_msgs.msg", Float64=float)
    robot = SawyerRobot()
    robot.connect()
    return robot, topics


def test_sawyer_is_slow_and_stops_without_commands(sawyer):
    _, topics = sawyer
    assert topics.sent["/robot/limb/right/set_speed_ratio"] == [0.1]
    assert topics.sent["/robot/limb/right/joint_command_timeout"] == [0.2]


def test_sawyer_reads_and_moves_all_seven_joints(sawyer):
    robot, topics = sawyer
    names = [f"right_j{index}" for index in range(7)]
    state = SimpleNamespace(name=["head_pan", *names], position=np.radians(np.arange(8.0)))
    topics.callbacks["/robot/joint_states"](state)
    observation = robot.get_observation()
    assert list(observation.values()) == pytest.approx(range(1, 8))
    robot.send_action(dict(observation))
    (command,) = topics.sent["/robot/limb/right/joint_command"]
    assert (command.mode, command.names) == (1, names)
    np.testing.assert_allclose(command.position, np.radians(np.arange(1.0, 8)))
    robot.disconnect()
    assert not robot.is_connected
    assert topics.callbacks == {}


def test_sawyer_s_hand_is_where_its_published_model_has_it():
    """Stretched out, the hand of the published model is at (1.0155, 0.1603, 0.317) m."""
    place = SawyerKinematics().forward(np.zeros(7))
    np.testing.assert_allclose(place, [1.0155, 0.1603, 0.317], atol=1e-4)


def test_sawyer_s_inverse_points_down_without_jumps(rng):
    kinematics, near = SawyerKinematics(), np.array([0, -67.6, 0, 124.9, 0, 32.7, 190])
    place = np.array([0.6, 0.0, 0.23])
    near = kinematics.inverse(place, near)
    for _ in range(50):
        step = rng.uniform(-0.005, 0.005, 3)
        place = np.clip(place + step, [0.5, -0.12, 0.15], [0.7, 0.12, 0.3])
        joints = kinematics.inverse(place, near)
        np.testing.assert_allclose(kinematics.forward(joints), place, atol=1e-4)
        assert np.abs(joints - near).max() < 3.0
        near = joints
    assert kinematics.inverse(np.array([2.0, 0, 0]), near) is None


@pytest.mark.parametrize("name", ["so101", "ros2_arm", "sawyer", "gantry"])
def test_the_pages_of_the_examples_are_right(name):
    assert read_config(f"examples/robots/{name}.toml").axes


class Firmware:
    """A gantry's serial line: moves at once, answers ``?``."""

    def __init__(self):
        self.place, self.lines = "10.000,20.000,-5.000", []

    def write(self, data):
        self.lines.append(data)

    def read_until(self, _end):
        return f"ok\r\n<Idle|MPos:{self.place}|FS:0,0>".encode() if self.place else b""

    def reset_input_buffer(self): ...
    def close(self): ...


def test_a_new_arm_is_one_file_of_under_150_lines(module, monkeypatch):
    from examples.robots import gantry

    with open(gantry.__file__) as file:
        assert len(file.readlines()) < 150
    line = Firmware()
    module("serial", serial_for_url=lambda port, baudrate, timeout: line)
    monkeypatch.setattr(gantry.GantryCamera, "open", lambda camera: None)
    robot = load_robot(read_config("examples/robots/gantry.toml"))
    robot.connect()
    assert isinstance(robot, Robot)
    observation = robot.get_observation()
    assert observation == {"x.pos": 0.01, "y.pos": 0.02, "z.pos": -0.005}
    robot.send_action({"x.pos": 0.011, "y.pos": 0.02, "z.pos": -0.005})
    assert line.lines[-1] == b"G1 X11.000 Y20.000 Z-5.000\n"
    line.place = ""
    with pytest.raises(ConnectionError):
        robot.get_observation()
