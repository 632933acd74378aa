"""Latents next to the last actions: what a robot with delay has to know to act well.

What an arm does now was asked for some steps ago. With the actions of those steps beside the
latent, the process is Markov again (the augmented state of control with delay; Katsikopoulos
and Engelbrecht 2003). Goals have zeros there, and distance gives them no weight.

A frame packs an image and the last actions into one row of bytes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from jaxtyping import Float32, UInt8

from rig.config import Config
from rig.nn.patches import side_of
from rig.replay.buffer import ReplayBuffer
from rig.representation.collage import Collage
from rig.representation.fit_vae import fit_vae, some_of
from rig.representation.latent import (
    LatentRepresentation,
    make_latent_representation,
)
from rig.representation.representation import Envs, FitMonitor, Images, Representation, Tree
from rig.types import Collected, Encoding, Parts


Actions = Float32[np.ndarray, "N stacked"]
"""The last actions of each environment, the newest last."""
Frames = UInt8[np.ndarray, "N bytes"]
FLOAT_BYTES = 4


def pack(images: Images, actions: Actions) -> Frames:
    """Return each image and its actions as a row of bytes."""
    numbers = np.ascontiguousarray(actions, np.float32).view(np.uint8)
    return np.concatenate([images.reshape(len(images), -1), numbers], axis=1)


def unpack(frames: np.ndarray, num_actions: int) -> tuple[Images, Actions]:
    """Return images and actions; an image alone, as a photograph, has zeros."""
    if frames.ndim > 2:
        return frames, np.zeros((len(frames), num_actions), np.float32)
    num_bytes = frames.shape[1] - num_actions * FLOAT_BYTES
    side = side_of(num_bytes)
    images = frames[:, :num_bytes].reshape(len(frames), side, side, 3)
    return images, np.ascontiguousarray(frames[:, num_bytes:]).view(np.float32)


class StackedObservation(VectorWrapper):
    """Environments that show the last actions packed with each image."""

    def __init__(self, envs: VectorEnv[Any, Any, Any], num: int) -> None:
        """Remember the last ``num`` actions of each environment."""
        super().__init__(envs)
        shape = envs.single_observation_space["observation"].shape  # type: ignore[index]
        size = int(np.prod(envs.single_action_space.shape or (1,)))
        self._actions = np.zeros((envs.num_envs, num * size), np.float32)
        num_bytes = int(np.prod(shape)) + num * size * FLOAT_BYTES
        row = spaces.Box(0, 255, (num_bytes,), np.uint8)
        self._single_observation_space = spaces.Dict(observation=row, desired_goal=row)
        self._observation_space = batch_space(self._single_observation_space, envs.num_envs)

    def reset(self, **options: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Reset, and forget the actions of the environments that begin an episode."""
        mask = (options.get("options") or {}).get("reset_mask")
        self._actions[slice(None) if mask is None else mask] = 0
        observation, info = self.env.reset(**options)
        return self._packed(observation), info

    def step(self, actions: np.ndarray) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step, and remember the actions."""
        observation, *rest, info = self.env.step(actions)
        size = actions.shape[1]
        self._actions = np.concatenate([self._actions[:, size:], actions], axis=1)
        return (self._packed(observation), *rest, info)

    def _packed(self, observation: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        no_actions = np.zeros_like(self._actions)
        return {
            "observation": pack(observation["observation"], self._actions),
            "desired_goal": pack(observation["desired_goal"], no_actions),
        }


class StackedActions(Representation):
    """A fitted VAE's latents, each next to the last actions."""

    def __init__(self, latents: LatentRepresentation, num_actions: int) -> None:
        self.latents, self._num = latents, num_actions
        no_weight = np.zeros(num_actions, np.float32)
        self.weight: Float32[np.ndarray, " both"] = np.concatenate([latents.weight, no_weight])

    @classmethod
    def observe(cls, envs: Envs, config: Config) -> Envs:
        """Return environments that show image and last actions."""
        return StackedObservation(envs, config.practice.num_stacked)

    @classmethod
    def fit(
        cls,
        config: Config,
        collected: Collected,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "StackedActions":
        """Fit the VAE to the images alone."""
        num = config.practice.num_stacked_values
        images, _ = unpack(collected.images, num)
        vae, whitening, rows = fit_vae(config, images, collected, monitor, rng=rng)
        goals = config.goals
        latents = make_latent_representation(
            vae, images[rows], goals.source, goals.skew, rng=rng, whitening=whitening
        )
        new = cls(latents, num)
        monitor.after_fit(new.latents, images)
        return new

    @classmethod
    def input_size(cls, config: Config) -> int:
        """Return the number of latents and of numbers of the last actions."""
        return config.vae.latent_dim + config.practice.num_stacked_values

    @classmethod
    def template(cls, config: Config, num_goals: int) -> Tree:
        """Return the shapes of :meth:`arrays`."""
        return LatentRepresentation.template(config, num_goals)

    @classmethod
    def from_arrays(cls, arrays: Tree, config: Config) -> "StackedActions":
        """Return the representation that :meth:`arrays` saved."""
        latents = LatentRepresentation.from_arrays(arrays, config)
        return cls(latents, config.practice.num_stacked_values)

    def arrays(self) -> Tree:
        """Return all arrays that must be saved."""
        return self.latents.arrays()

    @property
    def latent_dim(self) -> int:
        """The length of a latent and the last actions together."""
        return len(self.weight)

    @property
    def num_goals(self) -> int:
        """The number of latents that the prior stores."""
        return self.latents.num_goals

    @property
    def parts(self) -> Parts | None:
        """What each thing adds to a latent; the last actions belong to none."""
        parts = self.latents.parts
        pad = (0, self._num)
        return None if parts is None else np.pad(parts, ((0, 0), pad, pad))

    def encode(self, frames: np.ndarray) -> Encoding:
        """Return each image's posterior next to the actions, which are certain."""
        images, actions = unpack(frames, self._num)
        encoding = self.latents.encode(images)
        certain = np.zeros_like(actions)
        return Encoding(
            latent=np.concatenate([encoding.latent, actions], axis=1),
            log_std=np.concatenate([encoding.log_std, certain], axis=1),
        )

    @property
    def collage(self) -> Collage | None:
        """What latents are shown with, if not the decoder."""
        return self.latents.collage

    def with_collage(self, collage: Collage | None) -> "StackedActions":
        """Return the same representation that shows latents with a collage."""
        return type(self)(self.latents.with_collage(collage), self._num)

    def decode(self, latents: Float32[np.ndarray, "N both"]) -> Images:
        """Return the image of each latent."""
        return self.latents.decode(latents[:, : self.latents.latent_dim])

    def images_of(self, frames: np.ndarray) -> Images:
        """Return the images in packed frames."""
        return unpack(frames, self._num)[0]

    def imagine(self, num: int, *, rng: np.random.Generator) -> Float32[np.ndarray, "N both"]:
        """Return goals drawn from the prior: no actions are asked for."""
        return np.pad(self.latents.imagine(num, rng=rng), ((0, 0), (0, self._num)))

    def as_goals(self, latents: Float32[np.ndarray, "N both"]) -> Float32[np.ndarray, "N both"]:
        """Return latents without the actions that led there."""
        goals = latents.copy()
        goals[:, self.latents.latent_dim :] = 0
        return goals

    def refresh_prior(
        self, replay: ReplayBuffer, config: Config, *, rng: np.random.Generator
    ) -> "StackedActions":
        """Return the same representation with a prior made from the latents in replay."""
        some = some_of(replay.latents, rng=rng)[:, : self.latents.latent_dim]
        prior = self.latents.new_prior(some, config.goals, rng=rng)
        return type(self)(self.latents.with_prior(prior), self._num)
