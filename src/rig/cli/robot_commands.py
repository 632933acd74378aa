"""The commands about one robot: ``rig reach | evaluate | imagine | report``, and more.

Each imports what it needs when it runs, so that ``--help`` answers at once.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Annotated

from annotated_types import Interval

from rig.cli.options import (
    DirectoryOption,
    FileOption,
    Flag,
    RobotFile,
    RunDirectories,
    RunDirectory,
)
from rig.config import Count, CountOrNone
from rig.presets import find_preset
from rig.runs.output_paths import check_file
from rig.settings import change
from rig.terminal import print_line, print_notice
from rig.validation import Checked, require


IMAGE_KINDS = (".png",)
VIDEO_KINDS = (".mp4", ".gif")
PAGE_KINDS = (".html", ".htm")
DEMO_CHANGES = {"total_timesteps": 20_000, "evaluate.every_steps": 4000}
"""What the demo changes of the preset: Reach is learned soon."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Show a trained robot any goal image and let it try."""

    run: RunDirectory
    """Directory of a trained run."""
    goal: Path
    """The goal image: any file, size and mode."""
    video: FileOption = None
    """Video to write of goal, camera and decoded latent: .mp4 or .gif."""
    robot: RobotFile = None
    """Let this robot try, in place of what the run learned on: the file of its server."""
    check: Flag = False
    """Only say how like anything practised the goal image is; exit with 3 if it is unlike."""
    force: Flag = False
    """Use the run even if its policy would see different images than it learned from."""
    json: Flag = False
    """Print the distances, or what --check finds, as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Read the goal image, let the robot try, and print the distances."""
        self._check_options()
        from rig.cli.likeness import note_likeness, print_likeness
        from rig.goals.goal_image import read_goal_image
        from rig.goals.likeness import run_likeness
        from rig.inference.open_run import image_representation, open_trained, run_how_often
        from rig.inference.reach import reach, summary
        from rig.report.tables import print_attempt, print_json
        from rig.training.make_envs import make_envs, unwrapped_envs

        run, agent = open_trained(self.run, self.robot, force=self.force)
        image_representation(agent)
        goal = read_goal_image(self.goal, run.config.image_size)
        if goal.changes:
            print_notice(f"{self.goal}: {', '.join(goal.changes)}")
        found = run_likeness(run, goal.image)
        if self.check:
            often = run_how_often(run, agent, goal.image)
            print_likeness(found, often, str(self.goal), as_json=self.json)
            return
        note_likeness(found, str(self.goal))
        with closing(make_envs(run.config, num_envs=1)) as envs:
            learned = unwrapped_envs(envs).id
            if goal.task not in (None, learned):
                print_notice(f"{self.goal} shows {goal.task}, the run learned {learned}")
            attempt = reach(agent, envs, goal)
        if self.video:
            from rig.inference.video import attempt_frames, save_video

            save_video(self.video, attempt_frames(attempt), step_s=attempt.step_s)
        video = {"video": str(self.video) if self.video else None}
        (print_json if self.json else print_attempt)(summary(run.config.task, attempt) | video)

    def _check_options(self) -> None:
        if self.video:
            require(not self.check, "--check moves nothing: leave out --video")
            check_file(self.video, VIDEO_KINDS)


@dataclass(frozen=True, kw_only=True)
class Evaluate(Checked):
    """Measure a trained robot on the fixed goal images."""

    run: RunDirectory
    """Directory of a trained run."""
    episodes: Count = 100
    """Number of goal images to try: always the same ones."""
    task: str = ""
    """Try the goals of another task that looks the same at the start, as PushAny for a run that
    learned PushTwo. Empty: its own task."""
    robot: RobotFile = None
    """Evaluate on this robot: the file of its server. It drives to its goals first, and takes
    their photographs."""
    photographs: DirectoryOption = None
    """--robot: a folder of goal images that a person took, in place of those."""
    force: Flag = False
    """Use the run even if its policy would see different images than it learned from."""
    json: Flag = False
    """Print the table as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Try every goal image and print the table."""
        from rig.inference.evaluate import evaluate_run
        from rig.inference.open_run import open_trained
        from rig.report.tables import print_evaluation, print_json
        from rig.runs.settings import learned_from

        run, agent = open_trained(self.run, self.robot, force=self.force)
        if run.config.is_given_truth:
            print_notice(f"{self.run} learned from {learned_from(run.config)}")
        table = evaluate_run(
            run, agent, self.episodes, self.task, self.photographs, force=self.force
        )
        (print_json if self.json else print_evaluation)(table)


@dataclass(frozen=True, kw_only=True)
class Imagine(Checked):
    """Draw a grid of goals that a trained robot imagines."""

    run: RunDirectory
    """Directory of a trained run."""
    out: Path
    """The image to write: .png."""
    num_goals: Annotated[int, Interval(ge=1, le=4096)] = 64
    """Number of goals to imagine."""
    seed: CountOrNone = 0
    """Decides which goals."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Imagine, decode and draw."""
        check_file(self.out, IMAGE_KINDS)
        import numpy as np

        from rig.inference.imagine import imagined_grid
        from rig.inference.open_run import open_trained
        from rig.report.image_grid import save_png

        _run, agent = open_trained(self.run, force=True)  # no camera is used
        rng = np.random.default_rng(self.seed)
        save_png(self.out, imagined_grid(agent, self.num_goals, rng=rng))
        print_line(str(self.out))


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write one page about one run, or about several next to each other."""

    runs: RunDirectories
    """Directories of runs."""
    out: Path
    """The page to write: .html. It needs no network and no other file."""

    def __post_init__(self) -> None:
        require(len(self.runs) > 0, "rig report needs at least one RUN: name its directory")

    def __call__(self, argv: Sequence[str]) -> None:
        """Write the page."""
        check_file(self.out, PAGE_KINDS)
        from rig.report.page import write_report

        write_report(self.out, self.runs)
        print_line(str(self.out))


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Show versions, the device, and the speed on this machine."""

    json: Flag = False
    """Print everything as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Measure and print."""
        from rig.cli.doctor import examine
        from rig.report.tables import print_examination, print_json

        print_notice("measures every part; to compile an update of learning takes longest")
        (print_json if self.json else print_examination)(examine())


@dataclass(frozen=True, kw_only=True)
class Demo(Checked):
    """Train Reach in a few minutes, and write its report and video."""

    out: DirectoryOption = None
    """Directory of the run; by default a new one under runs/."""
    seed: CountOrNone = 0
    """Seed of everything random."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Train, make the video, and print the report's path."""
        from rig.inference.demo import demo

        config = change(find_preset("fast", "Reach"), DEMO_CHANGES | {"seed": self.seed})
        print_line(f"report: {demo(config, 'fast', self.out, argv)}")
        if note := how_to_find_rig():
            print_notice(note)


def how_to_find_rig() -> str:
    """Say where the command ``rig`` is, if a shell would not find it; nothing if it would."""
    program = Path(sys.prefix) / "bin" / "rig"
    if which("rig") or not program.is_file():
        return ""
    return (
        f"`rig` is not on your PATH: it is {program}. In this shell, "
        f"`source {program.parent / 'activate'}` puts it there"
    )
