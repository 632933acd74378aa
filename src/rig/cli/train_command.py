"""``rig train``: a new run, or one that was stopped."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from rig.cli.options import (
    DirectoryOption,
    EnvironmentId,
    Flag,
    RunOption,
    TaskName,
    check_task_or_env,
)
from rig.config import CollectConfig, Config
from rig.presets import find_preset
from rig.robot_env.task_name import task_name
from rig.robots.read_config import read_config
from rig.runs.output_paths import RUNS
from rig.terminal import print_line, print_notice
from rig.training.trackers import TrackerName
from rig.validation import require


WITH_RESUME = {"--resume", "--total-timesteps", "--force", "--tracker", "--json"}
"""Options that ``--resume`` takes."""


@dataclass(frozen=True, kw_only=True)
class CollectOptions(CollectConfig):
    """Where the first images come from."""

    from_: Annotated[str, arg(name="from", metavar="DATASET")] = ""
    """Take the first images from a recording in place of collecting any: a LeRobot dataset
    (v3.0) of anyone, a video, or a folder of videos. Actions are learned from too if `rig
    record` recorded them in the same environment."""


@dataclass(frozen=True, kw_only=True)
class Train(Config):
    """Train a robot from camera images alone."""

    task: TaskName = ""
    """What to learn: Reach, Push, PushWide, PushTwo, PushAny, PushGrey, PushDark, PushPattern,
    PushSame, PushBar, PushResetFree, Door, DoorResetFree, PickAndPlace, Rope, RopeColours,
    RopePick, or a task of your own as MODULE:ID."""
    preset: Literal["paper", "fast", "her"] = "fast"
    """The settings to begin with. paper: RIG as published; fast: what learns fastest here; her:
    a baseline that learns end to end from pixels, without latents (hindsight, HER)."""
    env: EnvironmentId = ""
    """Any Gymnasium environment to learn in place of a TASK: with continuous actions, and a
    MuJoCo scene, an image observation or rgb_array rendering."""
    out: DirectoryOption = None
    """Directory of the run; by default a new one under runs/."""
    robot: Annotated[str, arg(metavar="CONFIG.toml")] = ""
    """A real robot to learn on in place of a TASK: the file that its server runs with
    (docs/robot.md)."""
    resume: RunOption = None
    """Resume a run that was stopped: with its own settings, from its last checkpoint. With
    --total-timesteps it gets that many steps; a finished run, too."""
    force: Flag = False
    """With --resume: resume even if other versions or hardware would change the result."""
    tracker: TrackerName | None = None
    """Also log to TensorBoard or Weights & Biases (offline, unless WANDB_MODE is online)."""
    collect: CollectOptions = field(default_factory=CollectOptions)
    json: Flag = False
    """Print the evaluation and the run's directory as one JSON object."""

    @classmethod
    def with_defaults(cls, task: str, preset: str, *, is_real_robot: bool = False) -> "Train":
        """Return the command with a preset's settings for a task as its defaults."""
        name = task or ("robot" if is_real_robot else Config.task)
        config = find_preset(preset, name, is_real_robot=is_real_robot)
        settings = {entry.name: getattr(config, entry.name) for entry in fields(Config)}
        collect = CollectOptions(**vars(config.collect))
        return cls(**settings | {"preset": preset, "task": "", "collect": collect})

    def __call__(self, argv: Sequence[str]) -> None:
        """Train, evaluate, and print the run's directory."""
        if self.resume:
            check_nothing_else(self.task, argv)
        else:
            check_source(self.task, self.env, self.robot)
        from rig.report.tables import print_evaluation, print_json
        from rig.training.run_training import resume_run, start_run, train_run

        if self.resume:
            more = self.total_timesteps if "--total-timesteps" in names(argv) else None
            self.say_how_to_watch(self.resume)
            run = resume_run(
                self.resume,
                self.tracker,
                force=self.force,
                total_timesteps=more,
                may_exit=True,
            )
        else:
            config = self.config()
            run = start_run(config, self.preset, self.out, argv, self.tracker)
            print_notice(f"settings: {self.preset}")
            self.say_how_to_watch(run.directory)
            train_run(run, self.tracker, may_exit=True)
        if self.json:
            print_json(run.evaluation() | {"run": str(run.directory)})
            return
        print_evaluation(run.evaluation())
        print_line(str(run.directory))

    def say_how_to_watch(self, directory: Path) -> None:
        """Name the command that shows the run while it trains, to a person at a terminal."""
        if sys.stderr.isatty() and not self.json:
            where = [] if directory.parent == RUNS else [str(directory)]
            print_notice(f"watch: {shlex.join(['rig', 'serve', *where])}")

    def config(self) -> Config:
        """Return the settings of the run, without the options of the command."""
        settings = {entry.name: getattr(self, entry.name) for entry in fields(Config)}
        settings["collect"] = CollectConfig(**vars(self.collect))
        robot = str(Path(self.robot).absolute()) if self.robot else ""
        task = task_name(robot) if robot else self.env or self.task
        return replace(Config(**settings), task=task, robot=robot)


def check_source(task: str, env: str, robot: str) -> None:
    """Raise ConfigError unless exactly one of task, environment and robot is named."""
    if not robot:
        check_task_or_env(task, env, "train")
        return
    require(not task and not env, "rig train takes a TASK, --env or --robot: only one of them")
    read_config(robot)


def names(argv: Sequence[str]) -> list[str]:
    """Return the options that a command line gives, each once, as ``--help`` spells them."""
    given = [word.partition("=")[0] for word in argv if word.startswith("--")]
    return list(dict.fromkeys(name.replace("_", "-") for name in given))


def check_nothing_else(task: str, argv: Sequence[str]) -> None:
    """Raise ConfigError if the command line sets anything besides the run to resume."""
    others = [name for name in names(argv) if name not in WITH_RESUME]
    others = [f"TASK {task}"] * (task != "") + others
    require(
        not others,
        f"--resume continues with the run's own settings: leave out {', '.join(others)}",
    )
