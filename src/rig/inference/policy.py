"""A trained policy: camera image and goal image in, action out."""

from os import PathLike
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from rig.agent.agent import load_agent
from rig.config import Config
from rig.envs.square_crop import crop_square
from rig.errors import ImageError, RunError
from rig.external.action_bounds import ActionBounds
from rig.inference.open_run import image_representation
from rig.runs.run import Run


Images = np.ndarray
"""One image, uint8 of shape [H, W, 3], or a batch, [N, H, W, 3]."""


class Policy:
    """A trained policy, which brings what the camera shows closer to a goal image."""

    def __init__(self, directory: str | PathLike[str]) -> None:
        """Open a finished run, or an export of one.

        Raises:
            RunError: It is neither, is damaged, or was trained on true states.
        """
        self.directory = Path(directory)
        """The run or export."""
        run = Run.open(self.directory)
        self.config: Config = run.config
        """The settings that it was trained with."""
        self.image_shape = (run.config.image_size, run.config.image_size, 3)
        """Shape of the camera's images, and of goal images."""
        if run.config.practice.delay == "stack":
            raise RunError(
                f"{self.directory} also sees its last actions (--practice.delay stack): use "
                "`rig reach --robot`, which remembers them"
            )
        self._agent = load_agent(run.policy, run.config)
        self._representation = image_representation(self._agent)

    @classmethod
    def from_pretrained(cls, path: str | PathLike[str]) -> "Policy":
        """Load a run, an export, or ``OWNER/NAME`` from the Hugging Face Hub.

        Raises:
            RunError: There is none, it is damaged, or the Hub refused.
        """
        from rig.inference.hub import cached, is_repository

        return cls(cached(str(path)) if is_repository(str(path)) else path)

    def save_pretrained(self, directory: str | PathLike[str]) -> None:
        """Export to a new directory, with a model card and a video.

        Raises:
            RunError: The directory exists, or the camera's images here look different from
                those of training.
        """
        from rig.inference.export import export

        export(self.directory, Path(directory))

    def push_to_hub(self, repo_id: str) -> None:
        """Export to a repository on the Hugging Face Hub, ``OWNER/NAME``.

        Raises:
            RunError: As :meth:`save_pretrained`, or the Hub refused.
        """
        from rig.inference.hub import upload

        upload(self.directory, repo_id)

    def act(self, image: Images, goal_image: Images) -> Float32[np.ndarray, "*N action"]:
        """Return the action that brings the camera's image closer to the goal image.

        Args:
            image: The camera's image, or a batch of them.
            goal_image: What it should show: one for each image, or one for all.

        Returns:
            A new array of values in [-1, 1], one row for each image of a batch.

        Raises:
            ImageError: An image has not the camera's shape, or is not uint8.
        """
        images, goals = np.asarray(image), np.asarray(goal_image)
        self._check("image", images, max_dims=4)
        self._check("goal_image", goals, max_dims=images.ndim)
        is_batch = images.ndim == 4
        frames = images if is_batch else images[None]
        latents = self._representation.encode(goals if goals.ndim == 4 else goals[None]).latent
        if len(latents) not in (1, len(frames)):
            raise ImageError(f"{len(latents)} goal images for {len(frames)} images")
        towards = np.broadcast_to(latents, (len(frames), latents.shape[1]))
        actions, _encoding = self._agent.act(frames, towards, use_target_actor=True)
        return np.array(actions if is_batch else actions[0], np.float32)

    def see(self, frame: Images) -> Images:
        """Return a camera's frame, or a batch, as the policy sees it: its middle square, small.

        Args:
            frame: uint8, RGB, of any size: [H, W, 3] or [N, H, W, 3].

        Raises:
            ImageError: It is something else.
        """
        frames = np.asarray(frame)
        is_rgb = frames.dtype == np.uint8 and frames.ndim in (3, 4) and frames.shape[-1] == 3
        if not (is_rgb and frames.size):
            raise ImageError(
                f"a frame is {frames.dtype} of shape {frames.shape}: give uint8 RGB of shape "
                "[H, W, 3], or a batch of them"
            )
        size = self.config.image_size
        if frames.ndim == 3:
            return crop_square(frames, size)
        return np.stack([crop_square(each, size) for each in frames])

    def act_in_units(
        self, frame: Images, goal_frame: Images, bounds: ActionBounds
    ) -> np.ndarray:
        """Return the action in a robot's units that brings its camera closer to the goal.

        Args:
            frame: The camera's frame, of any size, or a batch of them.
            goal_frame: What it should show: one for each frame, or one for all.
            bounds: Those of the actions that the robot was trained with.

        Returns:
            An action of the bounds' shape and number type, inside them to the last bit; for a
            batch, one for each frame.

        Raises:
            ImageError: A frame is not uint8 RGB.
            ConfigError: The bounds have another number of dimensions than the policy.
        """
        return bounds.to_units(self.act(self.see(frame), self.see(goal_frame)))

    def _check(self, name: str, image: np.ndarray, max_dims: int) -> None:
        """Raise ImageError unless it is an image as the camera makes them, or a batch."""
        is_right = image.shape[-3:] == self.image_shape and image.ndim <= max_dims
        if not is_right or image.dtype != np.uint8:
            raise ImageError(
                f"{name} is {image.dtype} of shape {image.shape}: give uint8 of shape "
                f"{self.image_shape}, as the run's camera does"
            )
