"""``rig look``: what the camera of a task or an environment shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from tyro.conf import arg

from rig.cli.options import (
    EnvironmentId,
    FileOption,
    Flag,
    TaskName,
    check_task_or_env,
)
from rig.cli.robot_commands import IMAGE_KINDS, VIDEO_KINDS
from rig.config import CameraEffect, Config, CountOrNone
from rig.runs.output_paths import check_file
from rig.terminal import print_line, print_notice
from rig.validation import Checked, require


@dataclass(frozen=True, kw_only=True)
class Look(Checked):
    """Save an image, or a video, of a task through its camera."""

    task: TaskName = ""
    """Any task that `rig train` takes."""
    env: EnvironmentId = ""
    """Any Gymnasium environment in place of a TASK."""
    camera: str = ""
    """--env: the camera, as in `rig train --help`."""
    episode_steps: CountOrNone = 0
    """--env: steps of an episode; 0: its own limit."""
    camera_effects: tuple[CameraEffect, ...] = ()
    """Make images like those of a real camera, as in `rig train --help`: webcam for all."""
    out: FileOption = None
    """The image to write: .png."""
    video: Annotated[tuple[Path, ...] | None, arg(metavar="[FILE]")] = None
    """A video of 100 random actions, as fast as the robot: .mp4 or .gif; without FILE, TASK.mp4
    in this directory. With camera effects, the image without them is next to it."""
    goal: Flag = False
    """Show a random goal, to try `rig reach` with, in place of the start."""
    seed: CountOrNone = 0
    """Decides which goal, and where an environment starts."""
    size: Annotated[int, Ge(1)] = 48
    """Width and height, pixels; the robot itself sees 48 or 84."""

    def __call__(self, argv: Sequence[str]) -> None:
        """Save the image, with the true state inside the PNG, or the video."""
        check_task_or_env(self.task, self.env, "look")
        require(
            self.out is not None or self.video is not None,
            "rig look needs --out FILE.png for an image, or --video for a video",
        )
        config = Config(
            task=self.env or self.task,
            seed=self.seed,
            camera=self.camera,
            episode_steps=self.episode_steps,
            camera_effects=self.camera_effects,
        )
        if self.out:
            self._save_image(config, self.out)
        if self.video is not None:
            self._save_video(config, self._video_file(self.video))

    def _save_image(self, config: Config, out: Path) -> None:
        """Save one image and print its path."""
        check_file(out, IMAGE_KINDS)
        from PIL import Image

        from rig.goals.goal_image import save_goal_image
        from rig.training.snapshot import take_snapshot

        snapshot = take_snapshot(config, self.size, of_goal=self.goal)
        for note in snapshot.notes:
            print_notice(note)
        image, state = Image.fromarray(snapshot.image), snapshot.state.tolist()
        save_goal_image(out, image, snapshot.id, state, snapshot.seed)
        print_line(str(out))

    def _save_video(self, config: Config, video: Path) -> None:
        """Save a video and print its path."""
        check_file(video, VIDEO_KINDS)
        from rig.inference.video import save_look_video

        save_look_video(video, config, self.size)
        print_line(str(video))

    def _video_file(self, given: tuple[Path, ...]) -> Path:
        """Return the file that the option names, or else one named after the task."""
        require(len(given) <= 1, f"--video takes one FILE, got {len(given)}")
        if given:
            return given[0]
        name = (self.env or self.task).rpartition(":")[2].rpartition("/")[2]
        return Path(f"{name}.mp4")
