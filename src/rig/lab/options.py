"""What the options of several verbs have in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import FlagCreatePairsOff, Positional, arg


RunDirectory = Annotated[Positional[Path], arg(metavar="RUN")]
TaskName = Annotated[Positional[str], arg(metavar="TASK", help_behavior_hint="(required)")]
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

    preset: Literal["paper", "fast"] = "fast"
    """The settings to begin from: as published, or what learns soonest here."""
    out: DirectoryOption = None
    """Directory of the run; by default a new one under runs/."""
    resume: RunOption = None
    """Go on with a run that was stopped, in place of a new one: with its own settings, from its
    last checkpoint, to the same end."""
    json: Flag = False
    """Print the evaluation and the run's directory as one JSON object."""
