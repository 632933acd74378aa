"""A batch of external environments: image observations, and actions in [-1, 1]."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from jaxtyping import Float32, UInt8

from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv, rms
from rig.envs.patterns import Pattern
from rig.errors import DivergedError, EnvFailedError
from rig.external.env import ExternalEnv, own_attribute
from rig.external.failures import calling, named
from rig.external.goals import MAX_SEED, make_goals
from rig.external.image_source import ImageSource


FRAMES_PER_S = 10
"""Frame rate of a video, if the environment does not give its own."""

Images = UInt8[np.ndarray, "N H W 3"]
Info = dict[str, Any]
Observation = dict[str, np.ndarray]


class ExternalVectorEnv(ImageGoalVectorEnv):
    """N copies of an external environment.

    A copy whose episode has ended stays as it is until it is reset: by ``reset()`` with all
    the others, or by ``reset(options={"reset_mask": has_ended})``.
    """

    max_probes = 200
    """Few, since the environment has to reach each of its goals."""

    def __init__(
        self,
        id_: str,
        external_envs: Sequence[ExternalEnv],
        image_source: ImageSource,
        seed: int,
    ) -> None:
        """Batch environments, and begin an episode in each."""
        first = external_envs[0]
        self.id, self.num_envs, self.num_steps = id_, len(external_envs), first.num_steps
        self.external_envs, self.image_source = external_envs, image_source
        self.renderer = image_source.description
        fps = frames_per_s(first)
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_fps": fps}
        if first.env.spec:
            self.spec = replace(first.env.spec, max_episode_steps=first.num_steps)
        self._goals: Goals | None = None
        images = self.reset(seed=seed)[0]["observation"]
        self.notes = image_source.notes
        self._num_achieved = len(first.achieved)
        sizes = {"goal": self._num_achieved} | first.score_sizes
        units = {"goal": "m"} | {score.name: score.unit for score in first.scores}
        self.state_names = tuple(f"{n}_{i}" for n, size in sizes.items() for i in range(size))
        self.state_units = tuple(units[n] for n, size in sizes.items() for _ in range(size))
        ends = np.cumsum(list(sizes.values())).tolist()
        self._columns = {
            name: slice(end - sizes[name], end)
            for name, end in zip(sizes, ends, strict=True)
            if sizes[name]
        }
        image = spaces.Box(0, 255, images.shape[1:], np.uint8)
        self.single_observation_space = spaces.Dict(observation=image, desired_goal=image)
        self.single_action_space = spaces.Box(-1, 1, (first.action_size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode in every environment, or in those of ``options["reset_mask"]``.

        Args:
            seed: Decides the start of this and all later episodes.
            options: From :meth:`rig.envs.image_goal_env.Goals.options`, to try these goals.
        """
        super().reset(seed=seed)
        options = dict(options or {})
        mask = options.pop("reset_mask", None)
        if mask is None:
            self._goals = Goals.of_options(options) if options else None
        seeds = self.np_random.integers(MAX_SEED, size=self.num_envs)
        if self._goals:
            seeds = self._goals.seeds
        with named(self.id):
            for index, env in enumerate(self.external_envs):
                if mask is None or mask[index]:
                    goal = (
                        self._goals.states[index, : self._num_achieved] if self._goals else None
                    )
                    env.reset(int(seeds[index]), goal)
            return self._observe()

    def step(
        self, actions: Float32[np.ndarray, "N action"]
    ) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        """Step every environment whose episode has not ended."""
        if not np.isfinite(actions).all():
            raise DivergedError(
                f"an action is not finite: {actions.tolist()}; check what computed it"
            )
        with named(self.id):
            for env, action in zip(self.external_envs, actions, strict=True):
                if not env.has_ended:
                    env.step(action)
            observation, info = self._observe()
        terminated = np.array([env.terminated for env in self.external_envs])
        truncated = np.array([env.truncated for env in self.external_envs])
        return observation, np.zeros(self.num_envs), terminated, truncated, info

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Make evaluation goals; this ends the present episodes."""
        with named(self.id):
            return make_goals(self.external_envs, self.image_source, num, rng=rng)

    def still_image(self) -> UInt8[np.ndarray, "H W 3"]:
        """Return what the camera shows of what never moves, or the images' commonest colour."""
        return self.image_source.still_image(self.external_envs)

    def paint_table(self, pattern: Pattern) -> bool:
        """Give what is fixed to the world a pattern, if the ray camera takes the images."""
        return self.image_source.paint_table(pattern)

    @property
    def columns(self) -> dict[str, slice]:
        """The slice of a goal's state that belongs to the goal and to each score."""
        return self._columns

    def close_extras(self, **_kwargs: Any) -> None:
        """Close all environments."""
        self.image_source.close()
        for env in self.external_envs:
            # What ends the run already must not be hidden by a robot that can't be closed.
            ignored = (EnvFailedError,) if sys.exception() else ()
            with suppress(*ignored), calling(env.id, "close"):
                env.env.close()

    def _observe(self) -> tuple[Observation, Info]:
        images = self.image_source.images(self.external_envs)
        goal_images = self._goals.images if self._goals else np.zeros_like(images)
        observation = {"observation": images, "desired_goal": goal_images.copy()}
        return observation, self._measure(images)

    def _measure(self, images: Images) -> Info:
        """Measure the distance to the goal of the reset, or else to the environment's own.

        Where neither the environment nor a score says where it is, images are compared.
        """
        if not hasattr(self, "state_names"):
            return {}  # the first reset
        if not self.state_names:
            if self._goals is None:
                return {}
            return {"image_distance_levels": rms(images, self._goals.images)}
        states = np.stack([env.state for env in self.external_envs])
        goals = states.copy()
        goals[:, : self._num_achieved] = [env.desired for env in self.external_envs]
        if self._goals:
            goals = self._goals.states.copy()
        measured: Info = {"state": states, "goal_state": goals}
        if self._num_achieved:
            apart_m = (states - goals)[:, : self._num_achieved]
            measured["goal_distance_m"] = np.linalg.norm(apart_m, axis=1)
            measured |= self._success()
        for score in self.external_envs[0].scores if self._goals else ():
            part = self._columns[score.name]
            name = f"{score.name}_distance_{score.unit}"
            measured[name] = score.distance(states[:, part], goals[:, part])
        return measured

    def _success(self) -> Info:
        """Return each environment's own success; NaN without one, or for another goal."""
        reported = [env.is_success if env.has_goal else np.nan for env in self.external_envs]
        return {"is_success": np.array(reported, np.float64)}


def frames_per_s(env: ExternalEnv) -> float:
    """Return the steps of a second: as declared, or by the duration of a step, ``dt``."""
    if declared := positive(env.env.metadata.get("render_fps")):
        return declared
    step_s = positive(own_attribute(env.env, "dt"))
    return 1 / step_s if step_s else FRAMES_PER_S


def positive(value: Any) -> float:
    """Return a positive number as a float, and 0 for all that is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if 0 < number < np.inf else 0.0
