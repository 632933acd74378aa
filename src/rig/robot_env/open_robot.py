"""Connects a run to the robot that its settings name."""

import shlex
from functools import partial
from pathlib import Path

from rig.config import Config
from rig.errors import ConfigError
from rig.robot_env.connection import Connection
from rig.robot_env.vector_env import RobotVectorEnv
from rig.robots.client import RobotClient
from rig.robots.config import RobotConfig
from rig.robots.read_config import read_config
from rig.terminal import print_to_stderr


NUM_STEPS = 25
"""Steps of an episode unless the settings say otherwise."""


def open_robot(config: Config, image_size: int) -> RobotVectorEnv:
    """Connect to the server of the robot that the settings name.

    Raises:
        ConfigError: The TOML file is wrong, or the episode too long.
        RobotError: No server answers, or another client drives the robot.
    """
    connection = connect(config.robot)
    try:
        return RobotVectorEnv(
            connection,
            config.task,
            config.episode_steps or NUM_STEPS,
            image_size,
            settle=config.practice.delay == "settle",
        )
    except ConfigError:
        connection.close()
        raise


def connect(path: str) -> Connection:
    """Connect to the server of the robot that a TOML file describes.

    Raises:
        ConfigError: The TOML file is wrong.
        RobotError: No server answers, or another client drives the robot.
    """
    robot = read_config(Path(path))
    opened = partial(open_client, robot)
    return Connection(opened, say, lease_s=robot.wire.lease_s, file=shlex.quote(path))


def open_client(robot: RobotConfig) -> RobotClient:
    """Connect to the server that a TOML file describes."""
    return RobotClient.connect(endpoint(robot))


def endpoint(robot: RobotConfig) -> str:
    """Return where the robot's server listens."""
    return f"tcp://{robot.wire.address}:{robot.wire.port}"


def say(text: str) -> None:
    """Write a line on standard error."""
    print_to_stderr(f"rig robot: {text}")
