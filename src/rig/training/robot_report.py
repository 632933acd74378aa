"""A real robot practises only with a fresh report of its check, which the run keeps."""

from pathlib import Path

from rig.robot_check.result import fresh_report, report_path, write_report
from rig.robots.read_config import read_config
from rig.runs.run import Run
from rig.training.make_envs import Envs
from rig.training.robot_practice import robot_of


REPORT = "robot.check.json"


def keep_report(run: Run, envs: Envs) -> None:
    """Copy the report of the robot's check into the run.

    A simulated robot in simulated time needs none.

    Raises:
        RobotError: There is none, it is old, or something was wrong.
    """
    robot = robot_of(envs)
    if robot is None:
        return
    path = Path(run.config.robot)
    if robot.robot.is_simulated_time and not report_path(path).is_file():
        return
    write_report(run.directory / REPORT, fresh_report(path, read_config(path)))
