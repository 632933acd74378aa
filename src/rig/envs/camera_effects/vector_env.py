"""A vector environment behind a camera like a real one.

Only images change; the physics, the goals and what is measured stay. All that is random comes
from one seed and the number of steps since, so that a state of few numbers resumes exactly:

- ``reset(seed=...)`` begins again, as does a reset with goals, whose images then decide.
- any other reset continues in the same light.

Goal images are taken at another moment: each has light, shadows and noise of its own, which its
clean image decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from rig.config import CameraEffect
from rig.envs.camera_effects.effect_names import effects_named
from rig.envs.camera_effects.exposure import (
    Exposure,
    Planes,
    Shots,
    checksum,
    moments,
    planes_of,
)
from rig.envs.camera_effects.light import Light
from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv, rms
from rig.envs.patterns import wood_grain


NUM_SHARED = 2
"""Columns of the state that all cameras share: the seed and the number of steps since."""
LARGEST_SEED = 2**53
"""Larger seeds would not survive in a state of floats."""
TABLE_M = 0.5
"""Width of the table that a flat image is taken to show."""

Images = UInt8[np.ndarray, "N H W 3"]
Observation = dict[str, np.ndarray]
Info = dict[str, Any]


class CameraEffects(ImageGoalVectorEnv):
    """Environments whose images are those of a real camera; ``unwrapped`` is this one."""

    def __init__(self, envs: ImageGoalVectorEnv, effects: Sequence[CameraEffect]) -> None:
        """Put the camera before environments.

        Args:
            envs: Any environments with image goals.
            effects: Names of effects; ``webcam`` stands for all of them but ``night``.

        Raises:
            ConfigError: There is no such effect, or none is named.
        """
        self.effects = effects_named(effects)
        self.envs, self.task, self.notes = envs, envs.task, envs.notes
        self.id, self.num_steps, self.num_envs = envs.id, envs.num_steps, envs.num_envs
        self.max_probes, self.is_reset_free = envs.max_probes, envs.is_reset_free
        self.state_names, self.state_units = envs.state_names, envs.state_units
        self.metadata, self.render_mode = envs.metadata, envs.render_mode
        self.renderer = f"{envs.renderer}, {' '.join(sorted(self.effects))}"
        self.single_observation_space = envs.single_observation_space
        self.single_action_space = envs.single_action_space
        self.observation_space, self.action_space = envs.observation_space, envs.action_space
        is_painted = "texture" in self.effects and envs.paint_table(wood_grain)
        self._still_image = envs.still_image()
        has_grain = "texture" in self.effects and not is_painted
        self._grain = flat_grain(len(self._still_image)) if has_grain else None
        self._exposure = Exposure(self.effects, self._with_grain(self._still_image[None])[0])
        self._before: Planes | None = None
        size = len(self._still_image)
        self._own_goals = np.zeros((self.num_envs, size, size, 3), np.uint8)
        self._goal_images = self._own_goals.copy()
        self._light: Light
        self._begin(seed=0)

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode, as the environments do."""
        options = dict(options or {})
        observation, info = self.envs.reset(seed=seed, options=options)
        self._np_random = self.envs.np_random
        goal_images = options.get("goal_images")
        if goal_images is not None:
            self._own_goals, self._goal_images = np.array(goal_images), np.array(goal_images)
            self._begin(checksum(goal_images))
        elif seed is not None:
            self._begin(seed)
        else:
            self._advance()
        if goal_images is None:
            self._photograph_goals(observation["desired_goal"])
        begun = options.get("reset_mask", np.ones(self.num_envs, bool))
        return self._seen(observation, info, begun)

    def step(
        self, actions: np.ndarray
    ) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, Info]:
        """Step the environments, and take their images."""
        observation, rewards, terminated, truncated, info = self.envs.step(actions)
        self._advance()
        observation, info = self._seen(observation, info, np.zeros(self.num_envs, bool))
        return observation, rewards, terminated, truncated, info

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Make the same evaluation goals as without effects, with photographs of them."""
        goals = self.envs.goals(num, rng=rng)
        return replace(goals, images=self.photograph(goals.images))

    def images_of(self, states: Float64[np.ndarray, "G state"]) -> Images:
        """Return photographs of states that are set."""
        return self.photograph(self.envs.images_of(states))

    def photograph(self, images: Images) -> Images:
        """Return images of things at rest, each at a moment of its own."""
        photographs = np.empty_like(images)
        for start in range(0, len(images), self.num_envs):
            part = images[start : start + self.num_envs]
            light, shots = moments(part)
            shown = self._expose(part, light, shots, is_settled=True)[0]
            photographs[start : start + self.num_envs] = shown
        return photographs

    @property
    def columns(self) -> dict[str, slice]:
        """The slice of a goal's state that belongs to each object."""
        return self.envs.columns

    def render(self) -> tuple[UInt8[np.ndarray, "H W 3"], ...] | None:
        """Return the last images, one per environment."""
        return tuple(self._images.copy()) if self.render_mode == "rgb_array" else None

    def get_state(self) -> Float64[np.ndarray, "N state"]:
        """Return the state of each environment and of its camera."""
        shared = np.tile([float(self._seed), float(self._clock)], (self.num_envs, 1))
        columns = [self.envs.get_state(), shared, self._light.columns()]
        return np.concatenate(columns, axis=1)

    def set_state(self, state: Float64[np.ndarray, "N state"]) -> None:
        """Restore what ``get_state`` returned: images are the same bytes from the next reset.

        Until then the first image may differ: the one before it, which motion blur needs, and
        the goal images are no part of the state.
        """
        num = state.shape[1] - self._light.columns().shape[1]
        self.envs.set_state(state[:, : num - NUM_SHARED])
        self._seed, self._clock = (int(value) for value in state[0, num - NUM_SHARED : num])
        self._light = Light.of_columns(state[:, num:])

    def close_extras(self, **_kwargs: Any) -> None:
        """Close the environments."""
        self.envs.close()

    def _photograph_goals(self, images: Images) -> None:
        """Photograph the environments' goal images that have changed."""
        changed = (images != self._own_goals).any(axis=(1, 2, 3))
        self._goal_images[changed] = self.photograph(images[changed])
        self._own_goals = images.copy()

    def _begin(self, seed: int) -> None:
        """Put the camera at the beginning of what a seed decides."""
        self._seed, self._clock = seed % LARGEST_SEED, 0
        self._light = Light.draw(self.num_envs, rng=self._rng(of_light=True))

    def _advance(self) -> None:
        """Let the time of one step pass."""
        self._clock += 1
        self._light = self._light.after(self.step_s, rng=self._rng(of_light=True))

    def _rng(self, *, of_light: bool) -> np.random.Generator:
        """Return a generator of this step: it depends on seed and clock alone."""
        counter = [0, 0, int(of_light), self._clock]
        return np.random.Generator(np.random.Philox(key=self._seed, counter=counter))

    def _seen(
        self, observation: Observation, info: Info, begun: Bool[np.ndarray, " N"]
    ) -> tuple[Observation, Info]:
        """Return what the environments gave, with the camera's images in it.

        Args:
            observation: Its images are clean.
            info: What is measured.
            begun: The environments that were just reset, so that nothing moved before.
        """
        clean = observation["observation"]
        before = None if begun.all() else self._before
        if before is not None and begun.any():
            before = np.where(begun[:, None, None, None], planes_of(clean), before)
        shots = Shots.draw(self.num_envs, rng=self._rng(of_light=False))
        self._images, self._light, self._before = self._expose(
            clean, self._light, shots, before, is_settled=self._clock == 0
        )
        seen = observation | {
            "observation": self._images.copy(),
            "desired_goal": self._goal_images.copy(),
        }
        if "achieved_goal" in observation:
            seen["achieved_goal"] = self._images.copy()
        if "image_distance_levels" in info:
            info = info | {"image_distance_levels": rms(self._images, self._goal_images)}
        return seen, info

    def _expose(
        self,
        clean: Images,
        light: Light,
        shots: Shots,
        before: Planes | None = None,
        *,
        is_settled: bool,
    ) -> tuple[Images, Light, Planes]:
        """Return the camera's images, the light with what it measured, and the clean planes."""
        shown = self._with_grain(clean)
        planes, reached = planes_of(shown), self._exposure.shadows(shown, light)
        light = light.with_measured(self._exposure.measure(planes, reached), is_settled)
        exposed = self._exposure.expose(
            planes, planes if before is None else before, reached, light, shots
        )
        return exposed, light, planes

    def _with_grain(self, images: Images) -> Images:
        """Return images with grain on all that has the still image's one colour."""
        if self._grain is None:
            return images
        is_table = (images == self._still_image).all(axis=3, keepdims=True)
        return np.where(is_table, np.rint(images * self._grain).astype(np.uint8), images)


def flat_grain(size: int) -> Float64[np.ndarray, "size size 3"]:
    """Return the factors of wood seen straight from above."""
    along_m = np.linspace(0, TABLE_M, size)
    x_m, y_m = np.meshgrid(along_m, along_m)
    points_m = np.stack([x_m.ravel(), y_m.ravel(), np.zeros(size**2)], axis=1)
    return wood_grain(points_m).reshape(size, size, 3)
