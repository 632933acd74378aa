"""What the options of several verbs have in common: their types, and what they refuse."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg

from rig.training.trackers import TrackerName
from rig.validation import require


RunDirectory = Annotated[Positional[Path], arg(metavar="RUN")]
TaskName = Annotated[Positional[str], arg(metavar="TASK", help_behavior_hint="(required)")]
EnvironmentId = Annotated[str, arg(metavar="MODULE:ID")]
RunDirectories = Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN [RUN ...]")]
DirectoryOption = Annotated[Path | None, arg(metavar="DIR")]
RunOption = Annotated[Path | None, arg(metavar="RUN")]
FileOption = Annotated[Path | None, arg(metavar="FILE")]
Flag = FlagCreatePairsOff[bool]
IMAGE_KINDS = (".png",)
VIDEO_KINDS = (".mp4", ".gif")
PAGE_KINDS = (".html", ".htm")


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What `rig train` takes besides the settings of a run."""

    preset: Literal["paper", "fast", "her"] = "fast"
    """The settings to begin from: as published; what learns soonest here; or the baseline that
    learns end to end from pixels, without latents (hindsight, HER)."""
    env: EnvironmentId = ""
    """Anyone's Gymnasium environment to learn in place of a TASK, as Gymnasium names it: with
    continuous actions, and a MuJoCo scene, an image observation or rgb_array rendering."""
    out: DirectoryOption = None
    """Directory of the run; by default a new one under runs/."""
    resume: RunOption = None
    """Go on with a run that was stopped, in place of a new one: with its own settings, from its
    last checkpoint, to the same end."""
    force: Flag = False
    """With --resume: go on even where other programs would lead to another end."""
    tracker: TrackerName | None = None
    """Show the metrics in TensorBoard or in Weights & Biases too (offline, unless WANDB_MODE
    says online)."""
    json: Flag = False
    """Print the evaluation and the run's directory as one JSON object."""


def require_one(task: str, env: str, verb: str) -> None:
    """Raises unless the command line names one of our tasks, or else an environment.

    Raises:
        ConfigError: It names both or neither.
        TaskError: There is no such task.
    """
    require(
        (task == "") != (env == ""),
        f"rig {verb} needs a TASK, as Reach or Push, or --env MODULE:ID, and not both",
    )
    from rig.envs.tasks import find_task

    if task:
        find_task(task)
