"""A trained policy for three lines of Python: pictures in, actions out."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from rig.agent.agent import load_agent
from rig.errors import ImageError
from rig.inference.open_run import latent_space
from rig.runs.run import Run


class Policy:
    """What a run has learned: how to bring what the camera sees to a goal picture."""

    def __init__(self, directory: Path) -> None:
        """Opens a finished run, or an export of one.

        Raises:
            RunError: It is neither, or damaged, or was trained on true states.
        """
        run = Run.open(directory)
        self._policy = load_agent(run.policy, run.config)
        self._space = latent_space(self._policy)
        self.image_shape = (run.config.image_size, run.config.image_size, 3)
        """Of the camera's images, and of goal pictures."""

    def act(self, image: np.ndarray, goal_image: np.ndarray) -> Float32[np.ndarray, " action"]:
        """The action, in [-1, 1], that brings the image nearer to the goal picture.

        Args:
            image: What the camera sees: uint8, as ``image_shape`` says.
            goal_image: What it should see, alike.

        Raises:
            ImageError: A picture has not the camera's shape, or is not of 8 bits.
        """
        for name, picture in {"image": image, "goal_image": goal_image}.items():
            self._refuse_another_shape(name, np.asarray(picture))
        goal = self._space.encode(np.asarray(goal_image)[None]).latent
        action, _encoding = self._policy.act(
            np.asarray(image)[None], goal, use_target_actor=True
        )
        return action[0]

    def _refuse_another_shape(self, name: str, picture: np.ndarray) -> None:
        if picture.shape != self.image_shape or picture.dtype != np.uint8:
            raise ImageError(
                f"{name} is {picture.dtype} of shape {picture.shape}: give uint8 of shape "
                f"{self.image_shape}, as the run's camera does"
            )
