"""Adapters against the real classes: `make adapters`. They need the network, once.

LeRobot's own source is read with ``ast``, since running it needs PyTorch. ROS 2 runs: two
processes in a virtual environment of its own, because its packages change the interpreter.
ROS 1 runs in Debian's own Python, if its packages are installed there:
``apt-get install python3-rospy python3-rosmaster python3-sensor-msgs python3-numpy``.
"""

import ast
import inspect
import json
import os
import socket
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from rig.adapters.lerobot import SAFE_FIELDS
from rig.robots.robot import NEEDED, Camera, Robot


pytestmark = pytest.mark.slow
TESTS = Path(__file__).parent
CACHE = Path(os.environ.get("RIG_ADAPTERS_CACHE", "/tmp/rig-adapters"))
LEROBOT = "lerobot==0.6.1"
ROS2 = (
    "ros-jazzy-rclpy[fastrtps]",
    "ros-jazzy-sensor-msgs",
    "ros-jazzy-std-msgs",
    "ros-jazzy-trajectory-msgs",
    "numpy",
    "pillow",
    "pyzmq",
)


def run_or_skip(*command):
    """Run a command that needs the network; skip loudly if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"NOT TESTED: {' '.join(map(str, command[:5]))}: {done.stderr[-300:]}")


@pytest.fixture(scope="module")
def lerobot():
    """Return a function that parses a file of LeRobot's wheel."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not list(CACHE.glob("lerobot-*.whl")):
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
        run_or_skip(*pip, "--python-version", "3.12", "--dest", str(CACHE), LEROBOT)
    wheel = zipfile.ZipFile(next(CACHE.glob("lerobot-*.whl")))
    return lambda path: ast.parse(wheel.read(f"lerobot/{path}"))


def class_of(tree, name):
    (found,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    return found


def methods_of(node):
    return {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}


def is_abstract(method):
    return any("abstractmethod" in ast.unparse(each) for each in method.decorator_list)


def parameters_of(method):
    return [each.arg for each in method.args.args[1:]]


def test_lerobot_s_robot_has_what_the_protocol_asks_for(lerobot):
    methods = methods_of(class_of(lerobot("robots/robot.py"), "Robot"))
    abstract = {name for name, method in methods.items() if is_abstract(method)}
    assert abstract - {"calibrate"} == set(NEEDED) - {"name"}, "calibrate is never called"
    for name in abstract - {"calibrate"}:
        ours = inspect.getattr_static(Robot, name)
        if not isinstance(ours, property):
            wanted = list(inspect.signature(ours).parameters)[1:]
            assert parameters_of(methods[name]) == wanted, name


def test_lerobot_s_camera_has_what_the_protocol_asks_for(lerobot):
    methods = methods_of(class_of(lerobot("cameras/camera.py"), "Camera"))
    wanted = list(inspect.signature(Camera.async_read).parameters)[1:]
    assert parameters_of(methods["async_read"]) == wanted


def test_lerobot_s_client_connects_without_arguments(lerobot):
    """Why the server looks for ``calibrate`` before it passes it."""
    methods = methods_of(class_of(lerobot("robots/lekiwi/lekiwi_client.py"), "LeKiwiClient"))
    assert parameters_of(methods["connect"]) == []


def test_lerobot_s_follower_has_the_fields_that_keep_it_safe(lerobot):
    node = class_of(lerobot("robots/so_follower/config_so_follower.py"), "SOFollowerConfig")
    fields = {n.target.id for n in node.body if isinstance(n, ast.AnnAssign)}
    assert set(SAFE_FIELDS) | {"port", "cameras", "max_relative_target"} <= fields


def test_lerobot_s_follower_lets_its_cameras_be_taken_and_tells_its_calibration(lerobot):
    methods = methods_of(class_of(lerobot("robots/so_follower/so_follower.py"), "SOFollower"))
    assert "self.cameras = " in ast.unparse(methods["__init__"]), "not a property"
    for name in ("get_observation", "is_connected", "disconnect"):
        assert "self.cameras." in ast.unparse(methods[name])
    assert "MotorNormMode.DEGREES if config.use_degrees" in ast.unparse(methods["__init__"])
    assert "range_min=range_mins[motor], range_max=" in ast.unparse(methods["calibrate"])
    assert "range_maxes[full_turn_motor] = 4095" in ast.unparse(methods["calibrate"])


def test_lerobot_has_the_functions_that_the_adapter_imports(lerobot):
    config = class_of(lerobot("robots/config.py"), "RobotConfig")
    assert "ChoiceRegistry" in ast.unparse(config.bases[0])
    utils = {n.name for n in lerobot("robots/utils.py").body if isinstance(n, ast.FunctionDef)}
    assert "make_robot_from_config" in utils


@pytest.fixture(scope="module")
def ros2_python():
    """Return the Python of a virtual environment with ROS 2."""
    python = CACHE / "ros2/bin/python"
    if not python.is_file():
        venv.create(CACHE / "ros2", with_pip=True)
        run_or_skip(python, "-m", "pip", "install", "--quiet", "--prefer-binary", *ROS2)
    run_or_skip(python, "-c", "import rclpy, sensor_msgs.msg, trajectory_msgs.msg")
    return python


def test_the_adapter_drives_an_arm_on_ros_2(ros2_python):
    """Two processes: joint states and images come in, targets go out and are obeyed."""
    env = os.environ | {
        "PYTHONPATH": str(TESTS.parent / "src"),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "ROS_DOMAIN_ID": str(os.getpid() % 100),
    }
    pipe = {"env": env, "stdout": subprocess.PIPE, "text": True}
    arm = subprocess.Popen([ros2_python, TESTS / "ros2_peer.py", "10"], **pipe)
    ours = subprocess.Popen([ros2_python, TESTS / "ros2_adapter.py"], **pipe)
    report, commands = (
        json.loads(process.communicate(timeout=60)[0].splitlines()[-1])
        for process in (ours, arm)
    )
    assert report["levels"] > 10, "images are new ones"
    assert len(report["places"]) > 50
    assert len(commands) > 50
    x_m, y_m, z_m = report["places"][-1]
    assert x_m > 0.43, "the arm obeyed, its joints found by name"
    assert y_m < -0.03
    assert z_m == pytest.approx(0.3)


@pytest.fixture
def ros1(unused_port):
    """Return the Python of Debian's ROS 1 and its environment, with a master running."""
    python = "/usr/bin/python3"
    run_or_skip(python, "-c", "import genpy, numpy, rosmaster, rospy, sensor_msgs.msg")
    env = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)]),
        "ROS_MASTER_URI": f"http://127.0.0.1:{unused_port}",
        "ROS_IP": "127.0.0.1",
    }
    code = "import sys, rosmaster; rosmaster.rosmaster_main(sys.argv[1:])"
    arguments = ("--core", "-p", str(unused_port))
    master = subprocess.Popen(
        [python, "-c", code, *arguments], env=env, stdout=subprocess.DEVNULL
    )
    yield python, env
    master.terminate()
    master.wait(timeout=10)


@pytest.fixture
def unused_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_the_adapter_drives_sawyer_on_ros_1(ros1):
    """Joint states and images come in; speed, timeout and targets go out and are obeyed."""
    python, env = ros1
    pipe = {"env": env, "stdout": subprocess.PIPE, "text": True}
    arm = subprocess.Popen([python, TESTS / "ros1_peer.py", "10"], **pipe)
    ours = subprocess.Popen([python, TESTS / "ros1_adapter.py"], **pipe)
    report, got = (
        json.loads(process.communicate(timeout=60)[0].splitlines()[-1])
        for process in (ours, arm)
    )
    assert report["levels"] > 10, "images are new ones"
    assert len(report["places"]) > 50
    assert got["commands"] > 50
    assert got["modes"] == [1], "positions"
    assert got["numbers"] == {"set_speed_ratio": 0.1, "joint_command_timeout": 0.2}
    place_deg = report["places"][-1]
    assert place_deg[1] < -20, "the arm obeyed, its joints found by name"
    assert place_deg[6] > 20
    assert place_deg[0] == pytest.approx(0)


def test_lerobot_s_policy_asks_for_what_the_plug_in_has(lerobot):
    """The plug-in's classes have every abstract method, and LeRobot finds them by its names."""
    folder = TESTS.parent / "lerobot_policy_rig/lerobot_policy_rig"
    pairs = {
        "configuration_rig": ("configs/policies.py", "PreTrainedConfig", "RigConfig"),
        "modeling_rig": ("policies/pretrained.py", "PreTrainedPolicy", "RigPolicy"),
    }
    for file, (path, theirs, ours) in pairs.items():
        methods = methods_of(class_of(lerobot(path), theirs))
        wanted = {name for name, method in methods.items() if is_abstract(method)}
        tree = ast.parse((folder / f"{file}.py").read_text())
        assert wanted <= set(methods_of(class_of(tree, ours))), file
    factory = ast.unparse(lerobot("policies/factory.py"))
    assert 'f"make_{policy_type}_pre_post_processors"' in factory.replace("'", '"')
    plugins = ast.unparse(lerobot("utils/import_utils.py"))
    assert "lerobot_policy_" in plugins
