"""LeRobot's robots, as they are: ``type = "lerobot:so101_follower"``, in LeRobot's own Python.

``[options]`` are the fields of the robot's config in LeRobot; ``cameras`` a table of tables,
each with a ``type`` (``opencv``)::

    type = "lerobot:so101_follower"
    [options]
    port = "/dev/ttyACM0"
    id = "my_arm"
    [options.cameras.front]
    type = "opencv"
    index_or_path = 0
    fps = 30
    width = 640
    height = 480

``lerobot:MODULE:FUNCTION`` instead calls a function of yours with the options; it returns any
object in LeRobot's shape.

LeRobot's modules move between versions, so as little as possible is imported: the registry of
robot types, and the function that makes a robot.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from rig.errors import ConfigError, suggest
from rig.robots.robot import Robot, check_shape


PREFIX = "lerobot:"
ROBOTS, CAMERAS = "lerobot.robots", "lerobot.cameras"
TICKS = 4095
"""Largest position of a servo, 360 degrees."""
SAFE_FIELDS: Mapping[str, Any] = {"disable_torque_on_disconnect": False, "use_degrees": True}
"""LeRobot's own default lets the arm drop when the object is deleted. Positions are degrees."""


def make_lerobot(kind: str, options: Mapping[str, Any]) -> Robot:
    """Make a robot of LeRobot, not connected yet.

    Args:
        kind: Its type in LeRobot, or MODULE:FUNCTION.
        options: Fields of its config, or arguments of the function.

    Raises:
        ConfigError: LeRobot is not installed here, or knows no such type or field.
    """
    module, _, function = kind.partition(":")
    if function:
        maker_here = getattr(imported(module), function, None)
        if maker_here is None:
            raise ConfigError(f"{PREFIX}{kind}: {module} has no {function!r}")
        return checked(maker_here(**options), kind)
    robots = imported(ROBOTS)
    load_type(robots, kind)
    config_class = choice(robots.RobotConfig, kind, "robot")
    fields = dict(options)
    if "cameras" in fields:
        fields["cameras"] = {name: camera(table) for name, table in fields["cameras"].items()}
    known = getattr(config_class, "__dataclass_fields__", {})
    fields = {name: value for name, value in SAFE_FIELDS.items() if name in known} | fields
    for name in fields:
        if name not in known:
            raise ConfigError(f"{kind} has no option {name!r}: {suggest(name, known)}")
    return checked(maker(robots)(config_class(**fields)), kind)


def checked(robot: Any, kind: str) -> Robot:
    """Return the robot if it has LeRobot's shape.

    Raises:
        ConfigError: Something is missing, or its step limit has a type that LeRobot rejects.
    """
    check_shape(robot, f"{PREFIX}{kind}")
    step = getattr(getattr(robot, "config", None), "max_relative_target", None)
    if isinstance(step, int) and not isinstance(step, bool):
        raise ConfigError(f"max_relative_target must be {float(step)}, not {step}: a number")
    if not hasattr(robot, "joint_ranges_deg"):
        robot.joint_ranges_deg = calibrated_ranges_deg(robot)
    return robot


def calibrated_ranges_deg(robot: Any) -> dict[str, float]:
    """Return the range that each joint was calibrated to, where it is known in degrees.

    LeRobot gives a joint that turns all around the whole circle, which tells no arms apart.
    """
    motors = getattr(getattr(robot, "bus", None), "motors", {})
    ranges_deg = {}
    for joint, found in (getattr(robot, "calibration", None) or {}).items():
        mode = getattr(motors.get(joint), "norm_mode", None)
        num_ticks = found.range_max - found.range_min
        if getattr(mode, "name", "") == "DEGREES" and num_ticks < TICKS:
            ranges_deg[joint] = num_ticks * 360 / TICKS
    return ranges_deg


def camera(table: Mapping[str, Any]) -> Any:
    """Return the config of a camera."""
    fields = dict(table)
    kind = str(fields.pop("type", "opencv"))
    cameras = imported(CAMERAS)
    load_type(cameras, kind)
    return choice(cameras.CameraConfig, kind, "camera")(**fields)


def load_type(package: Any, kind: str) -> None:
    """Import the part of LeRobot that registers a type, if it is called like the type."""
    for name in (kind, kind.removesuffix("_follower"), "so_follower"):
        try:
            import_module(f"{package.__name__}.{name}")
        except ImportError:
            continue


def choice(registry: Any, kind: str, what: str) -> Any:
    """Return the config class of a type.

    Raises:
        ConfigError: LeRobot knows no such type.
    """
    known = registry.get_known_choices()
    if kind not in known:
        raise ConfigError(f"LeRobot has no {what} {kind!r}: {suggest(kind, known)}")
    return registry.get_choice_class(kind)


def maker(robots: Any) -> Any:
    """Return LeRobot's function that makes a robot of its config."""
    if hasattr(robots, "make_robot_from_config"):
        return robots.make_robot_from_config
    return imported(f"{ROBOTS}.utils").make_robot_from_config


def imported(module: str) -> Any:
    """Import a module.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"{module} can't be imported ({error}): run `rig robot serve` in the Python that "
            "drives the robot, with `pip install imagined-goals --no-deps pyzmq` there"
        ) from error
