"""A real robot practises only with a fresh report of its check, which the run keeps."""

from contextlib import closing
from pathlib import Path

from rig.config import Config
from rig.errors import RobotError
from rig.robot_check.result import Report, fresh_report, report_path, write_report
from rig.robots.client import RobotDescription
from rig.robots.read_config import read_config
from rig.runs.run import Run
from rig.training.make_envs import Envs, robot_envs
from rig.training.robot_practice import robot_of


REPORT = "robot.check.json"


def check_robot(config: Config) -> None:
    """Check that the robot of a new run answers and was checked, before its directory is made.

    Raises:
        ConfigError: The TOML file is wrong, or the settings do not fit a robot.
        RobotError: No server answers, another client drives the robot, or there is no report of
            its check, it is old, or something was wrong.
    """
    if config.robot:
        with closing(robot_envs(config, config.image_size)) as envs:
            report_of(config.robot, envs.robot)


def keep_report(run: Run, envs: Envs) -> None:
    """Copy the report of the robot's check into the run.

    Raises:
        RobotError: There is none, it is old, or something was wrong.
    """
    robot = robot_of(envs)
    report = None if robot is None else report_of(run.config.robot, robot.robot)
    if report is not None:
        write_report(run.directory / REPORT, report)


def report_of(config_path: str, robot: RobotDescription) -> Report | None:
    """Return the report of a robot's check; a robot in simulated time may have none.

    Raises:
        RobotError: There is none, it is old, something was wrong, or the server runs with
            another content of the file.
    """
    path = Path(config_path)
    config = read_config(path)
    if robot.config_digest != config.digest:
        raise RobotError(
            f"{path} was changed since its server read it: start the server again, then check"
        )
    if robot.is_simulated_time and not report_path(path).is_file():
        return None
    return fresh_report(path, config)
