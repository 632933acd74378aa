"""Guests side by side, as the loop drives them: pictures, and actions in [-1, 1]."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from jaxtyping import Float32, UInt8

from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv
from rig.errors import DivergedError
from rig.external.env import ExternalEnv
from rig.external.goals import MAX_SEED, make_goals
from rig.external.image_source import ImageSource


FRAMES_PER_S = 10
"""Of a video, where a guest does not say how fast it goes."""

Images = UInt8[np.ndarray, "N H W 3"]
Info = dict[str, Any]
Observation = dict[str, np.ndarray]


class ExternalVectorEnv(ImageGoalVectorEnv):
    """N copies of anyone's environment.

    A world whose episode has ended stays as it is until it is reset: by ``reset()`` with all
    the others, or by ``reset(options={"reset_mask": ended})``.
    """

    max_probes = 200
    """Some milliseconds each: a guest goes to every one of its goals."""

    def __init__(
        self,
        id_: str,
        external_envs: Sequence[ExternalEnv],
        image_source: ImageSource,
        seed: int,
    ) -> None:
        """Takes in guests, and begins an episode in each."""
        self.id, self.num_envs, self.num_steps = (
            id_,
            len(external_envs),
            external_envs[0].num_steps,
        )
        self.external_envs, self.image_source, self.seen_by = (
            external_envs,
            image_source,
            image_source.about,
        )
        fps = external_envs[0].env.metadata.get("render_fps") or FRAMES_PER_S
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_fps": fps}
        self._goals: Goals | None = None
        images = self.reset(seed=seed)[0]["observation"]
        self.state_names = tuple(f"goal_{i}" for i in range(len(external_envs[0].achieved)))
        self.state_units = ("m",) * len(self.state_names)
        picture = spaces.Box(0, 255, images.shape[1:], np.uint8)
        self.single_observation_space = spaces.Dict(observation=picture, desired_goal=picture)
        self.single_action_space = spaces.Box(
            -1, 1, (external_envs[0].action_size,), np.float32
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begins an episode in every world, or in those of ``options["reset_mask"]``.

        Args:
            seed: Decides where this and all later episodes start.
            options: What :meth:`rig.envs.image_goal_env.Goals.options` gives, to try these
            goals.
        """
        super().reset(seed=seed)
        options = dict(options or {})
        mask = options.pop("reset_mask", None)
        if mask is None:
            self._goals = Goals.of_options(options) if options else None
        seeds = self.np_random.integers(MAX_SEED, size=self.num_envs)
        if self._goals:
            seeds = self._goals.seeds
        for index, external_env in enumerate(self.external_envs):
            if mask is None or mask[index]:
                goal = self._goals.states[index] if self._goals else None
                external_env.begin(int(seeds[index]), goal)
        return self._observe()

    def step(
        self, actions: Float32[np.ndarray, "N action"]
    ) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        """Moves every world whose episode goes on."""
        if not np.isfinite(actions).all():
            raise DivergedError(f"an action is not finite: {actions.tolist()}")
        for external_env, action in zip(self.external_envs, actions, strict=True):
            if not external_env.has_ended:
                external_env.move(action)
        observation, info = self._observe()
        terminated = np.array([external_env.terminated for external_env in self.external_envs])
        truncated = np.array([external_env.truncated for external_env in self.external_envs])
        return observation, np.zeros(self.num_envs), terminated, truncated, info

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Goals of evaluation; episodes that went on in the worlds are over after that."""
        return make_goals(self.external_envs, self.image_source, num, rng=rng)

    @property
    def columns(self) -> dict[str, slice]:
        """A guest's goal is one thing, if it says what its goals are."""
        return {"goal": slice(0, len(self.state_names))} if self.state_names else {}

    def close_extras(self, **_kwargs: Any) -> None:
        """Sends the guests home."""
        self.image_source.close()
        for external_env in self.external_envs:
            external_env.env.close()

    def _observe(self) -> tuple[Observation, Info]:
        images = self.image_source.look(self.external_envs)
        goal_images = self._goals.images if self._goals else np.zeros_like(images)
        observation = {"observation": images, "desired_goal": goal_images.copy()}
        return observation, self._measure(images)

    def _measure(self, images: Images) -> Info:
        """How far every world is from its goal; from its own one if none was given."""
        if self.state_names:
            states = np.stack([external_env.achieved for external_env in self.external_envs])
            own = np.stack([external_env.desired for external_env in self.external_envs])
            goals = self._goals.states if self._goals else own
            distances_m = np.linalg.norm(states - goals, axis=1)
            measured = {"state": states, "goal_state": goals, "goal_distance_m": distances_m}
            return measured | self._success()
        if self._goals is None:
            return {}
        return {"picture_distance_levels": rms(images, self._goals.images)}

    def _success(self) -> Info:
        """Whether each world is at its goal by its own rule, where it has one; else NaN."""
        told = [
            external_env.info.get("is_success", np.nan) if external_env.knows_goal else np.nan
            for external_env in self.external_envs
        ]
        return {"is_success": np.array(told, np.float64)}


def rms(one: Images, other: Images) -> np.ndarray:
    """How different pictures are: root mean square, in grey levels of 255."""
    difference = one.astype(np.float64) - other
    return np.sqrt((difference**2).mean(axis=(1, 2, 3)))
