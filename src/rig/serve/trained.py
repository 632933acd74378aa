"""A trained run in use: its policy, its robot, and what turns an image into a goal.

The server shows runs without JAX, which takes two seconds to import and 200 MB: only a robot
that wakes loads it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rig.envs.tasks import find_task
from rig.goals.practised import Practised, load_practised
from rig.goals.tried_goals import HowOften, TriedGoals, how_often, load_tried_goals
from rig.runs.run import Run
from rig.serve.run_index import is_movable
from rig.serve.scene import Scene
from rig.serve.seen import Image


if TYPE_CHECKING:
    import rig.agent.agent
    import rig.serve.arm


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained run in use."""

    id: str
    run: Run
    agent: "rig.agent.agent.Agent"
    arm: "rig.serve.arm.Arm"
    scene: Scene | None
    """The scene whose things can be moved to make a goal; None where there is none."""
    num_env_steps: int
    """Environment steps that the policy was trained for."""
    practised: Practised | None
    """What goals are compared with; None where the run kept nothing."""
    tried: TriedGoals | None
    """The goals of its evaluation, and how each ended; None where the run kept none."""

    @property
    def image_size(self) -> int:
        """Width and height of the camera's image in pixels."""
        return self.run.config.image_size

    def encode(self, image: Image) -> np.ndarray:
        """Return the latent of an image, as one row."""
        return self.agent.representation.encode(image[None]).latent

    def how_often(self, latent: np.ndarray) -> HowOften | None:
        """Return how many goals like this latent were reached; None if too few were tried."""
        return how_often(self.tried, latent, self.agent.representation.distance)

    def decode(self, latent: np.ndarray) -> Image:
        """Return the image that a latent stands for."""
        return self.agent.representation.decode(latent)[0]


def open_to_use(run_id: str, directory: Path) -> Trained:
    """Load a run's policy, and make its robot.

    Raises:
        RigError: The run is damaged, or its environment is another one here.
    """
    from rig.inference.open_run import image_representation, num_env_steps, open_trained
    from rig.serve.arm import Arm

    run, agent = open_trained(directory)
    representation, config = image_representation(agent), run.config
    latents = (representation.latent_dim, representation.latent_dtype)
    scene = Scene(find_task(config.task), config.image_size) if is_movable(config) else None
    return Trained(
        id=run_id,
        run=run,
        agent=agent,
        arm=Arm(run),
        scene=scene,
        num_env_steps=num_env_steps(run),
        practised=load_practised(directory),
        tried=load_tried_goals(directory, *latents),
    )
