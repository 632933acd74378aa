"""The robot of a trained run, simulated or real, as the page drives it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float32

from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.envs.tabletop_env import TabletopVectorEnv
from rig.goals.goal_image import GoalImage
from rig.inference.reach import goals_in, measured
from rig.representation.stacked_actions import unpack
from rig.robot_env.vector_env import RobotVectorEnv
from rig.runs.run import Run
from rig.serve.scene import LARGE_PX
from rig.serve.seen import Image, Seen
from rig.training.make_envs import make_envs, unwrapped_envs


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
        self._say: Callable[[str], object] = str

    @property
    def can_continue(self) -> bool:
        """Whether an attempt can start where the last one ended."""
        return self._large is not None

    @property
    def is_real(self) -> bool:
        """Whether it moves something that can break."""
        return isinstance(self._base, RobotVectorEnv)

    def listen(self, say: Callable[[str], object], check: Callable[[], object]) -> None:
        """Show by ``say`` what a real robot waits for; call ``check``, which may raise."""
        if isinstance(self._base, RobotVectorEnv):
            self._base.listen(say, check)
            self._say = say

    def begin(self, goal: GoalImage | None, *, is_reset: bool) -> Seen:
        """Begin an attempt at a goal, at the start or where the robot is."""
        known = None if goal is None else goals_in(goal, self._base)
        self._goal_state = None if known is None else known.states
        if not is_reset and isinstance(self._base, TabletopVectorEnv):
            tabletop = self._base.tabletop
            return self._seen(tabletop.images(), {"state": tabletop.states()})
        options = known.options() if known else None
        observation, info = self._envs.reset(seed=0, options=options)
        self._say("")  # it waits for nothing any more
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
