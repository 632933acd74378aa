"""Finds the adapter and the kinematics that a TOML file names."""

import inspect
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from rig.errors import ConfigError, suggest
from rig.robots.config import ArmConfig, RobotConfig
from rig.robots.kinematics import Kinematics
from rig.robots.robot import Robot, check_shape


ADAPTERS = {
    "sim:perfect": "rig.robots.perfect_arm:PerfectArm",
    "sim:so101": "rig.simulated.so101:SimulatedSo101",
    "ros2": "rig.adapters.ros2:Ros2Robot",
    "sawyer": "rig.adapters.sawyer:SawyerRobot",
}
"""Short names. Others are MODULE:CLASS, found in the working directory too."""
LEROBOT = "lerobot:"
"""What is behind it names a robot of LeRobot."""
KINEMATICS = {
    "so101": "rig.robots.so101_kinematics:So101Kinematics",
    "cartesian": "rig.robots.kinematics:CartesianKinematics",
    "sawyer": "rig.adapters.sawyer_kinematics:SawyerKinematics",
}


def load_robot(config: RobotConfig) -> Robot:
    """Make the adapter that a file names; it is not connected yet.

    Raises:
        ConfigError: There is no such adapter, its options are wrong, or it makes no robot.
    """
    if config.type.startswith(LEROBOT):
        kind = config.type.removeprefix(LEROBOT)
        options = {"kind": kind, "options": config.options}
        return make("rig.adapters.lerobot:make_lerobot", options, "type", ADAPTERS)
    robot: Robot = make(config.type, config.options, "type", ADAPTERS)
    check_shape(robot, config.type)
    return robot


def load_kinematics(arm: ArmConfig) -> Kinematics:
    """Make the kinematics that a file names.

    Raises:
        ConfigError: There is none of that name, or its options are wrong.
    """
    return make(arm.kinematics, arm.options, "arm.kinematics", KINEMATICS)


def make(kind: str, options: Any, key: str, known: dict[str, str]) -> Any:
    """Import a short name's class, or ``MODULE:CLASS``, and call it with the options.

    Raises:
        ConfigError: There is none, or its options are wrong.
    """
    module, _, name = known.get(kind, kind).partition(":")
    if not name:
        hint = suggest(kind, known)
        raise ConfigError(f"{key} {kind!r} is none: {hint}; or name MODULE:CLASS")
    try:
        maker = getattr(import_from_here(module), name)
    except (ImportError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        hint = suggest(kind, known)
        raise ConfigError(f"{key} {kind!r} can't be loaded: {error}; {hint}") from error
    try:
        inspect.signature(maker).bind(**options)
    except TypeError as error:
        raise ConfigError(f"options of {key} {kind!r}: {error}") from error
    try:
        return maker(**options)
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"options of {key} {kind!r} are wrong: {error}") from error


def import_from_here(module: str) -> Any:
    """Import a module, also from the working directory, as ``python -m`` does."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    return import_module(module)
