"""The types of options that several commands share."""

from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, Positional, arg

from rig.validation import require


RunDirectory = Annotated[Positional[Path], arg(metavar="RUN")]
RunDirectories = Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN [RUN ...]")]
TaskName = Annotated[Positional[str], arg(metavar="TASK", help_behavior_hint="(required)")]
EnvironmentId = Annotated[str, arg(metavar="MODULE:ID")]
DirectoryOption = Annotated[Path | None, arg(metavar="DIR")]
RunOption = Annotated[Path | None, arg(metavar="RUN")]
FileOption = Annotated[Path | None, arg(metavar="FILE")]
RobotFile = Annotated[Path | None, arg(metavar="CONFIG.toml")]
Flag = FlagCreatePairsOff[bool]


def check_task_or_env(task: str, env: str, command: str) -> None:
    """Raise unless the command line names either one of our tasks or an environment.

    Raises:
        ConfigError: It names both or neither.
        TaskError: There is no such task.
    """
    require(
        (task == "") != (env == ""),
        f"rig {command} needs a TASK, as Reach or Push, or --env MODULE:ID, and not both",
    )
    from rig.envs.tasks import find_task

    if task:
        find_task(task)
