"""The verb ``rig train``: a new run, or one that was stopped."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from rig.cli.options import TaskName, TrainOptions, require_one
from rig.config import Config
from rig.presets import find_preset
from rig.validation import require


@dataclass(frozen=True, kw_only=True)
class Train(Config, TrainOptions):
    """Train a robot from camera images alone."""

    task: TaskName = ""
    """What to learn: Reach, Push, PushWide, PushTwo, PushAny, PushResetFree, Door,
    DoorResetFree, PickAndPlace, Rope, or a task of your own as MODULE:ID."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Trains, evaluates, and prints the run's directory."""
        if self.resume:
            self._refuse_other_settings()
        else:
            require_one(self.task, self.env, "train")
        from rig.report.tables import print_evaluation, print_json, print_line
        from rig.training.run_training import resume_run, train_new_run

        if self.resume:
            run = resume_run(self.resume, self.tracker, force=self.force)
        else:
            run = train_new_run(self.config(), self.preset, self.out, argv, self.tracker)
        if self.json:
            print_json(run.evaluation() | {"run": str(run.directory)})
            return
        print_evaluation(run.evaluation())
        print_line(str(run.directory))

    def _refuse_other_settings(self) -> None:
        """Raises ConfigError if anything but the run to go on with was asked for."""
        plain = find_preset(self.preset, Config.task)
        given = [
            f"--{entry.name.replace('_', '-')}"
            for entry in fields(Config)
            if entry.name != "task" and getattr(self, entry.name) != getattr(plain, entry.name)
        ]
        given += (
            ["TASK"] * (self.task != "")
            + ["--env"] * (self.env != "")
            + ["--out"] * (self.out is not None)
        )
        given += ["--preset"] * (self.preset != TrainOptions.preset)
        require(
            not given,
            f"--resume goes on with the run's own settings: leave out {', '.join(given)}",
        )

    def config(self) -> Config:
        """The settings of the run, without the options of the command."""
        settings = {entry.name: getattr(self, entry.name) for entry in fields(Config)}
        return Config(**settings | {"task": self.env or self.task})
