"""The command about recordings: ``rig record``."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rig.cli.options import EnvironmentId, Flag, RunOption, TaskName, check_task_or_env
from rig.config import Config, Count, CountOrNone
from rig.runs.output_paths import check_new_directory
from rig.terminal import print_line, print_notice
from rig.validation import Checked, require


@dataclass(frozen=True, kw_only=True)
class Record(Checked):
    """Record practice as a LeRobot dataset (v3.0: Parquet and MP4)."""

    task: TaskName = ""
    """Record random actions in this task of ours."""
    env: EnvironmentId = ""
    """Record random actions in any Gymnasium environment."""
    run: RunOption = None
    """Record the policy of this run while it practises: goals imagined, actions with noise."""
    out: Path
    """Directory of the new dataset."""
    episodes: Count = 50
    """Episodes to record."""
    size: Literal[0, 48, 84] = 0
    """Width and height, pixels; 0: as the run sees, or 84."""
    seed: CountOrNone = 0
    """Decides everything random."""
    force: Flag = False
    """Use the run even if its policy would see different images than it learned from."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Practise, and print the directory."""
        self._check()
        import numpy as np

        from rig.inference.open_run import open_trained
        from rig.inference.record import record
        from rig.runs.reward_choice import with_reward_chosen
        from rig.training.make_envs import make_image_envs

        config, agent = Config(task=self.env or self.task or "Reach", num_envs=1), None
        if self.run:
            run, agent = open_trained(self.run, force=self.force)
            chosen = with_reward_chosen(run.config, run.metrics())
            config = replace(chosen, num_envs=1)
        size = self.size or (config.image_size if self.run else 84)
        rng = np.random.default_rng(self.seed)
        with closing(make_image_envs(config, 1, size)) as envs:
            num = record(self.out, envs, config, self.episodes, agent, rng=rng)
        print_notice(f"{self.episodes} episodes, {num} images of {size} x {size} pixels")
        print_line(str(self.out))

    def _check(self) -> None:
        """Raise ConfigError unless one source is named, and the size is the run's own."""
        check_new_directory(self.out)
        if self.run is None:
            check_task_or_env(self.task, self.env, "record")
            return
        require(
            not self.task and not self.env,
            "rig record takes a TASK, --env or --run, and only one of them",
        )
        require(self.size == 0, "--run records the images that its policy sees: no --size")
