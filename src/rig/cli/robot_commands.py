"""The verbs of the command line: their options, and what each does.

A docstring under a field is its ``--help``. Each verb imports what it needs when it is called,
so that ``rig --help`` answers at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from rig.cli.options import (
    IMAGE_KINDS,
    PAGE_KINDS,
    VIDEO_KINDS,
    DirectoryOption,
    EnvironmentId,
    FileOption,
    Flag,
    RunDirectories,
    RunDirectory,
    TaskName,
    require_one,
)
from rig.cli.share_commands import SHARE_VERBS
from rig.cli.sweep_commands import SWEEP_COMMANDS
from rig.config import Config
from rig.presets import find_preset
from rig.runs.output_paths import check_file
from rig.validation import require


@runtime_checkable
class Verb(Protocol):
    """A parsed command line."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Does it; ``argv`` is the command line, for the record."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Show a trained robot any goal picture and let it try."""

    run: RunDirectory
    """Directory of a trained run."""
    goal: Path
    """The goal picture: any file, size and mode."""
    video: FileOption = None
    """Where to write a video of goal, camera and decoded latent: .mp4 or .gif."""
    force: Flag = False
    """Use the run even where its policy would see other pictures than it learned from."""
    json: Flag = False
    """Print the distances as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Reads the picture, lets the robot try, and prints how near it came."""
        if self.video:
            check_file(self.video, VIDEO_KINDS)
        from rig.cli.commands import reach_goal_image
        from rig.report.tables import print_attempt, print_json

        summary = reach_goal_image(self.run, self.goal, self.video, force=self.force)
        (print_json if self.json else print_attempt)(summary)


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure a trained robot on the fixed set of goal pictures."""

    run: RunDirectory
    """Directory of a trained run."""
    episodes: int = 100
    """Goal pictures to try: always the same ones."""
    task: str = ""
    """Try the goals of another task that looks the same at the start: PushAny's, of a run that
    learned PushTwo. Empty: its own."""
    force: Flag = False
    """Use the run even where its policy would see other pictures than it learned from."""
    json: Flag = False
    """Print the table as one JSON object."""

    def __post_init__(self) -> None:
        require(self.episodes >= 1, f"--episodes must be at least 1, got {self.episodes}")

    def __call__(self, argv: Sequence[str]) -> None:
        """Tries every goal picture and prints the table."""
        from rig.cli.commands import evaluate_run
        from rig.report.tables import print_evaluation, print_json

        evaluation = evaluate_run(self.run, self.episodes, self.task, force=self.force)
        (print_json if self.json else print_evaluation)(evaluation)


@dataclass(frozen=True, kw_only=True)
class Imagine:
    """Draw a sheet of goals that a trained robot imagines."""

    run: RunDirectory
    """Directory of a trained run."""
    out: Path
    """The sheet to write: .png."""
    num_goals: int = 64
    """Goals to imagine."""
    seed: int = 0
    """Decides which goals."""

    def __post_init__(self) -> None:
        require(
            1 <= self.num_goals <= 4096, f"--num-goals must be 1 to 4096, got {self.num_goals}"
        )
        require(self.seed >= 0, f"--seed must be at least 0, got {self.seed}")

    def __call__(self, argv: Sequence[str]) -> None:
        """Imagines, decodes and draws."""
        check_file(self.out, IMAGE_KINDS)
        from rig.cli.commands import imagine_goals
        from rig.report.tables import print_line

        imagine_goals(self.run, self.out, self.num_goals, self.seed)
        print_line(str(self.out))


@dataclass(frozen=True, kw_only=True)
class Look:
    """Take a picture of a task through its camera."""

    task: TaskName = ""
    """What to look at: any task that `rig train` takes."""
    env: EnvironmentId = ""
    """Anyone's Gymnasium environment to look at in place of a TASK."""
    camera: str = ""
    """--env: the camera, as `rig train --help` has it."""
    episode_steps: int = 0
    """--env: steps of an episode; 0: its own limit."""
    out: Path
    """The picture to write: .png."""
    goal: Flag = False
    """Look at a random goal, to try `rig reach` with, in place of the start."""
    seed: int = 0
    """Decides which goal, and where an environment starts."""
    size: int = 48
    """Width and height, pixels; the robot itself sees 48 or 84."""

    def __post_init__(self) -> None:
        require(self.seed >= 0, f"--seed must be at least 0, got {self.seed}")

    def __call__(self, argv: Sequence[str]) -> None:
        """Takes the picture."""
        require_one(self.task, self.env, "look")
        check_file(self.out, IMAGE_KINDS)
        from rig.cli.commands import save_snapshot
        from rig.report.tables import print_line

        seen = Config(
            task=self.env or self.task,
            seed=self.seed,
            camera=self.camera,
            episode_steps=self.episode_steps,
        )
        save_snapshot(self.out, seen, self.size, of_goal=self.goal)
        print_line(str(self.out))


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write one page about one run, or about several side by side."""

    runs: RunDirectories
    """Directories of runs."""
    out: Path
    """The page to write: .html. It needs no network and no other file."""

    def __post_init__(self) -> None:
        require(len(self.runs) > 0, "rig report needs at least one RUN: name its directory")

    def __call__(self, argv: Sequence[str]) -> None:
        """Writes the page."""
        check_file(self.out, PAGE_KINDS)
        from rig.report.page import write_report
        from rig.report.tables import print_line

        write_report(self.out, self.runs)
        print_line(str(self.out))


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Tell what is installed, the device, and the speed here."""

    json: Flag = False
    """Print everything as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Measures and prints."""
        from rig.cli.doctor import examine
        from rig.report.tables import print_examination, print_json

        (print_json if self.json else print_examination)(examine())


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Train Reach in a few minutes, show it reaching, and write its report."""

    out: DirectoryOption = None
    """Directory of the run; by default a new one under runs/."""
    seed: int = 0
    """The seed of everything random."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Does it all, and prints the report's path."""
        from rig.inference.demo import demo
        from rig.report.tables import print_line

        config = replace(find_preset("fast", "Reach"), seed=self.seed)
        print_line(f"report: {demo(config, 'fast', self.out, argv)}")


OTHER_VERBS = {
    "reach": Reach,
    "evaluate": Evaluate,
    "imagine": Imagine,
    "look": Look,
    "report": Report,
    "doctor": Doctor,
    "demo": Demo,
    **SHARE_VERBS,
    **SWEEP_COMMANDS,
}
