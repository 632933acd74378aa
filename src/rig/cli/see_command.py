"""``rig see``: what the latents hold of any images, before any robot moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from rig.cli.options import EnvironmentId, FileOption, Flag
from rig.cli.robot_commands import PAGE_KINDS
from rig.config import CameraEffect, Config, CountOrNone, Positive
from rig.presets import find_preset
from rig.runs.output_paths import check_file
from rig.terminal import print_line, print_notice
from rig.validation import Checked, require


if TYPE_CHECKING:
    from rig.see.sight import Sight


@dataclass(frozen=True, kw_only=True)
class See(Checked):
    """Fit to any images, and show what the latents hold of them."""

    what: Annotated[Positional[tuple[str, ...]], arg(metavar="TASK|FILES")] = ()
    """A task, to collect images of practice as training does; or pictures, videos and folders
    of them; or a data set: an NPZ file with images and, if they are known, true states
    (docs/see.md)."""
    env: EnvironmentId = ""
    """Any Gymnasium environment in place of a TASK."""
    camera: str = ""
    """--env: the camera, as in `rig train --help`."""
    episode_steps: CountOrNone = 0
    """--env: steps of an episode; 0: its own limit."""
    camera_effects: tuple[CameraEffect, ...] = ()
    """Make the images of practice and of random states like those of a real camera, as in
    `rig train --help`: webcam, night, exposure, shadows, ..."""
    score: str = ""
    """--env: arrays in its info or observation that are its true state, as in `rig train
    --help`: it is judged on them, as 'block_pose[:2]:px'."""
    judge_on: FileOption = None
    """A data set with true states to judge on, in place of random states or its own."""
    objects: str = ""
    """The objects in a data set and their columns of its states, as "{'hand': [0, 1]}", where
    it names none or others."""
    image_size: Literal[48, 84] = 48
    """Height and width that images get, pixels: those of training."""
    near: Positive = 0.03
    """True distance under which two places of an object are near, in the unit of the states."""
    seed: CountOrNone = 0
    """Seed of everything random."""
    out: FileOption = None
    """The page to write: .html. It needs no network and no other file."""
    json: Flag = False
    """Print everything as one JSON object."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Read or practise, fit, judge, and print."""
        require(
            (len(self.what) > 0) != (self.env != ""),
            "rig see needs a TASK, FILES or --env MODULE:ID, and only one of them",
        )
        if self.out:
            check_file(self.out, PAGE_KINDS)
        from rig.report.tables import print_json
        from rig.see.page import what_is_missing, write_page
        from rig.see.sight_table import print_sight

        sight = self.see()
        if self.out:
            write_page(self.out, sight)
        missing = what_is_missing(sight)
        if self.json:
            print_json(sight.as_json() | {"missing": missing})
            return
        print_sight(sight)
        for sentence in missing:
            print_line(sentence)
        if self.out:
            print_line(str(self.out))

    def see(self) -> "Sight":
        """Read or practise, fit, and judge."""
        import numpy as np

        from rig.see.data_set import read_data_set
        from rig.see.open_source import open_source, task_named
        from rig.see.sight import see
        from rig.training.progress import open_progress

        task = self.env or task_named(self.what)
        of_practice = (self.camera, self.episode_steps, self.camera_effects, self.score)
        require(
            task != "" or not any(of_practice),
            "--camera, --episode-steps, --camera-effects and --score change images of practice "
            "and what is known of them: give a TASK or --env, or leave them out",
        )
        require(
            self.objects == "" or task == "" or self.judge_on is not None,
            "--objects names columns of a data set: give one, or leave it out",
        )
        config, rng = self.config(task), np.random.default_rng(self.seed)
        labelled = None
        if self.judge_on:
            labelled = read_data_set(self.judge_on, self.image_size, self.objects)
        with open_progress() as progress:
            source = open_source(
                () if task else self.what, config, progress, objects=self.objects, rng=rng
            )
            for note in source.notes:
                print_notice(f"{source.title}: {note}")
            source = source if labelled is None else source.judged_on(labelled)
            return see(config, source, self.near, progress, rng=rng)

    def config(self, task: str) -> Config:
        """Return the settings with which training would begin; those of no task for files."""
        config = find_preset("fast", task)
        return replace(
            config,
            seed=self.seed,
            image_size=self.image_size,
            camera=self.camera,
            episode_steps=self.episode_steps,
            camera_effects=self.camera_effects,
            score=self.score,
        )
