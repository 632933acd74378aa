"""What is checked of a run's environments before it begins."""

from rig.runs.run import Run
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.progress import Progress
from rig.training.resources import check_resources, malloc_trim
from rig.training.robot_report import keep_report


def check_envs(run: Run, envs: Envs, progress: Progress) -> None:
    """Show what a person should know of the environments, and check that the run may begin.

    Raises:
        RunError: There is no room for it.
        RobotError: The robot has no fresh report of a check.
    """
    for note in unwrapped_envs(envs).notes:
        progress.note(note)
    keep_report(run, envs)
    malloc_trim()  # compiling scenes takes more memory than keeping them
    check_resources(run, envs, progress.note)
