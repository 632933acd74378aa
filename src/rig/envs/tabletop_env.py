"""The tasks as Gymnasium environments: image observations, and no reward.

An observation has three images: ``observation``, ``achieved_goal`` (the same image) and
``desired_goal`` (of a goal drawn at reset). The true state, the goal's state and the distances
between them are in ``info``, with their units, for evaluation only; training must not use them.

A plain ``reset()`` begins a training episode: every object is present, and a reset-free task
continues from its present state. ``reset(options={"goal_states": ...})`` begins an evaluation
episode: the environment is put at its start, without the objects that its goal lacks.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from jaxtyping import Bool, Float32, Float64, UInt8

from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv
from rig.envs.patterns import Pattern
from rig.envs.tabletop import STEP_S, Tabletop
from rig.envs.task import Task
from rig.envs.tasks import find_task
from rig.errors import TaskError


NUM_DRAWN = 1000
"""Smallest number of goals drawn, so that the first ones do not depend on the number."""

Image = UInt8[np.ndarray, "H W 3"]
Images = UInt8[np.ndarray, "N H W 3"]
States = Float64[np.ndarray, "N state"]
EnvMask = Bool[np.ndarray, " N"]
Observation = dict[str, np.ndarray]
Info = dict[str, Any]


class TabletopVectorEnv(ImageGoalVectorEnv):
    """A batch of environments of one task, which begin and end their episodes together.

    It does not reset itself: call ``reset`` when ``truncated`` is true, for all, or for some by
    ``options["reset_mask"]``.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium declares it so)
        "autoreset_mode": AutoresetMode.DISABLED,
        "render_modes": ["rgb_array"],
        "render_fps": round(1 / STEP_S),
    }

    def __init__(
        self,
        task: str | Task,
        num_envs: int = 1,
        image_size: int = 48,
        num_threads: int | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
    ) -> None:
        """Make environments of a task, or of the task of this name; see :class:`Tabletop`.

        An episode has the task's number of steps, or ``max_episode_steps``.
        """
        self.task: Task = task if isinstance(task, Task) else find_task(task)
        self.tabletop = Tabletop(self.task, num_envs, image_size, num_threads)
        self.id, self.num_steps = self.task.id, max_episode_steps or self.task.num_steps
        self.state_names, self.state_units = self.task.joints, tuple(self.tabletop.units)
        self.is_reset_free = self.task.is_reset_free
        self.num_envs, self.render_mode = num_envs, render_mode
        self._num_steps_done = np.zeros(num_envs, np.int64)
        self._goal_states = np.tile(np.asarray(self.task.start, np.float64), (num_envs, 1))
        self._goal_images = np.zeros((num_envs, image_size, image_size, 3), np.uint8)
        self.single_observation_space = _observation_space(image_size)
        action_size = self.tabletop.action_size
        self.single_action_space = spaces.Box(-1.0, 1.0, (action_size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode in every environment, and draw a goal for each.

        Args:
            seed: One seed for the whole batch. With it, every environment is put at its start.
            options: ``goal_states``, [N, state], are used in place of drawn ones. With them,
                every environment is put at its start, without the objects that its goal lacks
                (NaN), and the rest of :meth:`rig.envs.image_goal_env.Goals.options` is allowed.
                ``reset_mask``, [N]: the environments to reset; the others stay as they are.

        Raises:
            TaskError: An option is unknown, or an array has the wrong shape.
        """
        super().reset(seed=seed)
        options = dict(options or {})
        mask = self._reset_mask(options.pop("reset_mask", None))
        is_continued = self.is_reset_free and seed is None and "goal_states" not in options
        images = options.pop("goal_images", None)
        options.pop("start_seeds", None)  # every episode has the same start
        self._num_steps_done[mask] = 0
        self._goal_states[mask] = self._choose_goals(options)[mask]
        if images is None:
            images = self.tabletop.goal_images(self._goal_states)
        self._goal_images[mask] = np.asarray(images)[mask]
        self._images = self.tabletop.images() if is_continued else self._put_at_start(mask)
        return self._observe()

    def step(
        self, actions: Float32[np.ndarray, "N action"]
    ) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        """Move every hand; truncate after ``num_steps``."""
        self._images = self.tabletop.step(np.asarray(actions, np.float32))
        self._num_steps_done += 1
        observation, info = self._observe()
        rewards, terminated = np.zeros(self.num_envs), np.zeros(self.num_envs, bool)
        truncated = self._num_steps_done >= self.num_steps
        return observation, rewards, terminated, truncated, info

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Make evaluation goals, drawn uniformly from the task's."""
        states = self.task.sample_goals(max(num, NUM_DRAWN), rng=rng)[:num]
        images = self.tabletop.goal_images(states)
        return Goals(images=images, states=states, seeds=np.zeros(num, np.int64))

    def images_of(self, states: States) -> Images:
        """Return images of states that are set."""
        return self.tabletop.goal_images(states)

    def still_image(self) -> Image:
        """Return what the camera shows of what never moves."""
        return self.tabletop.camera.still_image

    def paint_table(self, pattern: Pattern) -> bool:
        """Give all that never moves a pattern, where it has none."""
        self.tabletop.paint(pattern)
        return True

    @property
    def columns(self) -> dict[str, slice]:
        """The slice of a state that belongs to each object."""
        return self.task.columns

    def render(self) -> tuple[Image, ...] | None:
        """Return the last images, one per environment."""
        return tuple(self._images.copy()) if self.render_mode == "rgb_array" else None

    def get_state(self) -> Float64[np.ndarray, "N state"]:
        """Return the full state of each environment; save it, never learn from it."""
        return self.tabletop.full_states()

    def set_state(self, state: Float64[np.ndarray, "N state"]) -> None:
        """Restore what ``get_state`` returned; the next steps give the same bytes."""
        self.tabletop.set_full_states(state)

    def close_extras(self, **_kwargs: Any) -> None:
        """Stop the threads."""
        self.tabletop.close()

    def _choose_goals(self, options: dict[str, Any]) -> States:
        given = options.pop("goal_states", None)
        if options:
            raise TaskError(
                f"unknown reset options {sorted(options)}: give 'goal_states', [N, state]"
            )
        if given is None:
            return self.task.sample_states(self.num_envs, rng=self.np_random)
        states, shape = np.array(given, np.float64), (self.num_envs, self.tabletop.state_size)
        if states.shape != shape:
            raise TaskError(
                f"goal_states have shape {states.shape}: {self.id} takes {shape} here; give "
                "one row per environment, of a goal of this task as it is now"
            )
        return states

    def _reset_mask(self, given: Any) -> EnvMask:
        """Return the environments to reset: all of them if none are given."""
        mask = np.ones(self.num_envs, bool) if given is None else np.asarray(given)
        if mask.shape != (self.num_envs,) or mask.dtype != bool:
            raise TaskError(
                f"reset_mask is {mask.dtype} of shape {mask.shape}: give bool of shape "
                f"({self.num_envs},), as `terminated | truncated`"
            )
        return mask

    def _put_at_start(self, mask: EnvMask) -> Images:
        starts = np.tile(self.task.start, (self.num_envs, 1))
        starts = np.where(np.isnan(self._goal_states), np.nan, starts)
        return self.tabletop.set_states(starts, mask)

    def _observe(self) -> tuple[Observation, Info]:
        observation = {
            "observation": self._images.copy(),
            "achieved_goal": self._images.copy(),
            "desired_goal": self._goal_images.copy(),
        }
        return observation, self._measure()

    def _measure(self) -> Info:
        states = self.tabletop.states()
        measured = {"state": states, "goal_state": self._goal_states.copy()}
        for name, distances in self.task.distances(states, self._goal_states).items():
            object_name, unit = name.rsplit("_", 1)
            measured[f"{object_name}_distance_{unit}"] = distances
        return measured


def _observation_space(image_size: int) -> gymnasium.Space:
    image = spaces.Box(0, 255, (image_size, image_size, 3), np.uint8)
    return spaces.Dict(observation=image, achieved_goal=image, desired_goal=image)
