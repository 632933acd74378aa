"""Guests side by side, as the loop drives them: pictures, and actions in [-1, 1]."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from jaxtyping import Float32, UInt8

from rig.envs.image_goal_env import Goals, Worlds
from rig.errors import DivergedError
from rig.external.env import Guest
from rig.external.goals import MAX_SEED, make_goals
from rig.external.image_source import Eyes


FRAMES_PER_S = 10
"""Of a video, where a guest does not say how fast it goes."""

Images = UInt8[np.ndarray, "N H W 3"]
Info = dict[str, Any]
Observation = dict[str, np.ndarray]


class GuestVectorEnv(Worlds):
    """N copies of anyone's environment.

    A world whose episode has ended stays as it is until it is reset: by ``reset()`` with all
    the others, or by ``reset(options={"reset_mask": ended})``.
    """

    max_probes = 200
    """Some milliseconds each: a guest goes to every one of its goals."""

    def __init__(self, id_: str, guests: Sequence[Guest], eyes: Eyes, seed: int) -> None:
        """Takes in guests, and begins an episode in each."""
        self.id, self.num_envs, self.num_steps = id_, len(guests), guests[0].num_steps
        self.guests, self.eyes, self.seen_by = guests, eyes, eyes.about
        fps = guests[0].env.metadata.get("render_fps") or FRAMES_PER_S
        self.metadata = {"autoreset_mode": AutoresetMode.DISABLED, "render_fps": fps}
        self._goals: Goals | None = None
        images = self.reset(seed=seed)[0]["observation"]
        self.state_names = tuple(f"goal_{i}" for i in range(len(guests[0].achieved)))
        self.state_units = ("m",) * len(self.state_names)
        picture = spaces.Box(0, 255, images.shape[1:], np.uint8)
        self.single_observation_space = spaces.Dict(observation=picture, desired_goal=picture)
        self.single_action_space = spaces.Box(-1, 1, (guests[0].action_size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begins an episode in every world, or in those of ``options["reset_mask"]``.

        Args:
            seed: Decides where this and all later episodes start.
            options: What :meth:`rig.envs.image_goal_env.Goals.options` gives, to try these goals.
        """
        super().reset(seed=seed)
        options = dict(options or {})
        mask = options.pop("reset_mask", None)
        if mask is None:
            self._goals = Goals.of_options(options) if options else None
        seeds = self.np_random.integers(MAX_SEED, size=self.num_envs)
        if self._goals:
            seeds = self._goals.seeds
        for index, guest in enumerate(self.guests):
            if mask is None or mask[index]:
                goal = self._goals.states[index] if self._goals else None
                guest.begin(int(seeds[index]), goal)
        return self._observe()

    def step(
        self, actions: Float32[np.ndarray, "N action"]
    ) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        """Moves every world whose episode goes on."""
        if not np.isfinite(actions).all():
            raise DivergedError(f"an action is not finite: {actions.tolist()}")
        for guest, action in zip(self.guests, actions, strict=True):
            if not guest.has_ended:
                guest.move(action)
        observation, info = self._observe()
        terminated = np.array([guest.terminated for guest in self.guests])
        truncated = np.array([guest.truncated for guest in self.guests])
        return observation, np.zeros(self.num_envs), terminated, truncated, info

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Goals of evaluation; episodes that went on in the worlds are over after that."""
        return make_goals(self.guests, self.eyes, num, rng=rng)

    @property
    def columns(self) -> dict[str, slice]:
        """A guest's goal is one thing, if it says what its goals are."""
        return {"goal": slice(0, len(self.state_names))} if self.state_names else {}

    def close_extras(self, **_kwargs: Any) -> None:
        """Sends the guests home."""
        self.eyes.close()
        for guest in self.guests:
            guest.env.close()

    def _observe(self) -> tuple[Observation, Info]:
        images = self.eyes.look(self.guests)
        goal_images = self._goals.images if self._goals else np.zeros_like(images)
        observation = {"observation": images, "desired_goal": goal_images.copy()}
        return observation, self._measure(images)

    def _measure(self, images: Images) -> Info:
        """How far every world is from its goal; from its own one if none was given."""
        if self.state_names:
            states = np.stack([guest.achieved for guest in self.guests])
            own = np.stack([guest.desired for guest in self.guests])
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
            guest.info.get("is_success", np.nan) if guest.knows_goal else np.nan
            for guest in self.guests
        ]
        return {"is_success": np.array(told, np.float64)}


def rms(one: Images, other: Images) -> np.ndarray:
    """How different pictures are: root mean square, in grey levels of 255."""
    difference = one.astype(np.float64) - other
    return np.sqrt((difference**2).mean(axis=(1, 2, 3)))
