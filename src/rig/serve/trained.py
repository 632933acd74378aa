"""A trained run in use: its policy, its robot, and what turns an image into a goal."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from rig.agent.agent import Agent
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.envs.tabletop_env import TabletopVectorEnv
from rig.envs.tasks import find_task
from rig.goals.goal_image import GoalImage
from rig.goals.practised import Practised, load_practised
from rig.inference.open_run import image_representation, num_env_steps, open_trained
from rig.inference.reach import goals_in, measured
from rig.representation.stacked_actions import unpack
from rig.robot_env.vector_env import RobotVectorEnv
from rig.runs.run import Run
from rig.serve.run_index import is_movable
from rig.serve.scene import LARGE_PX, Scene
from rig.training.make_envs import make_envs, unwrapped_envs


Image = UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What is known after a step."""

    image: Image
    """What the robot's camera shows."""
    frame: np.ndarray
    """What the policy gets: the image, or a row of it and of the last actions."""
    large: UInt8[np.ndarray, "large large 3"] | None
    """The same, drawn larger for people; None where only the camera's image is there."""
    distances: dict[str, float]
    """True distances of objects from the goal, as ``hand_m``, where they are known."""


class Arm:
    """The run's own environment, as one robot: simulated, or behind its server."""

    def __init__(self, run: Run) -> None:
        self._envs = make_envs(run.config, num_envs=1)
        self._base: ImageGoalVectorEnv = unwrapped_envs(self._envs)
        self.num_steps, self.step_s = self._base.num_steps, self._base.step_s
        practice = run.config.practice
        self._num_stacked = practice.num_stacked_values if practice.delay == "stack" else 0
        self._large: TabletopVectorEnv | None = None
        if isinstance(self._base, TabletopVectorEnv):
            self._large = TabletopVectorEnv(self._base.task, 1, LARGE_PX, 1)
        self._goal_state: np.ndarray | None = None

    @property
    def can_continue(self) -> bool:
        """Whether an attempt can start where the last one ended."""
        return self._large is not None

    def begin(self, goal: GoalImage | None, *, is_reset: bool) -> Seen:
        """Begin an attempt at a goal, at the start or where the robot is."""
        known = None if goal is None else goals_in(goal, self._base)
        self._goal_state = None if known is None else known.states
        if not is_reset and isinstance(self._base, TabletopVectorEnv):
            tabletop = self._base.tabletop
            return self._seen(tabletop.images(), {"state": tabletop.states()})
        options = known.options() if known else None
        observation, info = self._envs.reset(seed=0, options=options)
        return self._seen(observation["observation"], info)

    def step(self, action: Float32[np.ndarray, "1 action"]) -> Seen:
        """Take one step."""
        observation, _reward, _terminated, _truncated, info = self._envs.step(action)
        return self._seen(observation["observation"], info)

    def stop(self, why: str) -> None:
        """Stop a real robot; a simulated one stands when it is not stepped."""
        if isinstance(self._base, RobotVectorEnv):
            self._base.stop(why)

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()
        if self._large is not None:
            self._large.close()

    def _seen(self, images: np.ndarray, info: dict[str, Any]) -> Seen:
        distances = {name: float(rows[0]) for name, rows in self._distances(info).items()}
        image = unpack(images, self._num_stacked)[0][0] if self._num_stacked else images[0]
        return Seen(
            image=image.copy(),
            frame=images[0].copy(),
            large=self._draw_large(),
            distances=distances,
        )

    def _distances(self, info: dict[str, Any]) -> dict[str, np.ndarray]:
        if self._goal_state is None:
            return {}
        if isinstance(self._base, TabletopVectorEnv):
            found = self._base.task.distances(info["state"], self._goal_state)
            return {name: rows for name, rows in found.items() if np.isfinite(rows).all()}
        return measured([info])

    def _draw_large(self) -> Image | None:
        if self._large is None:
            return None
        self._large.set_state(self._base.get_state())
        return self._large.tabletop.images()[0]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained run in use."""

    id: str
    run: Run
    agent: Agent
    arm: Arm
    scene: Scene | None
    """The scene whose things can be moved to make a goal; None where there is none."""
    num_env_steps: int
    """Environment steps that the policy was trained for."""
    practised: Practised | None
    """What goals are compared with; None where the run kept nothing."""

    @property
    def image_size(self) -> int:
        """Width and height of the camera's image in pixels."""
        return self.run.config.image_size

    def encode(self, image: Image) -> np.ndarray:
        """Return the latent of an image, as one row."""
        return self.agent.representation.encode(image[None]).latent

    def decode(self, latent: np.ndarray) -> Image:
        """Return the image that a latent stands for."""
        return self.agent.representation.decode(latent)[0]


def open_to_use(run_id: str, directory: Path) -> Trained:
    """Load a run's policy, and make its robot.

    Raises:
        RigError: The run is damaged, or its environment is another one here.
    """
    run, agent = open_trained(directory)
    image_representation(agent)
    config = run.config
    scene = Scene(find_task(config.task), config.image_size) if is_movable(config) else None
    return Trained(
        id=run_id,
        run=run,
        agent=agent,
        arm=Arm(run),
        scene=scene,
        num_env_steps=num_env_steps(run),
        practised=load_practised(directory),
    )
