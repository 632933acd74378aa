"""Swapped halves: the true state in and a latent reward, or latents in and a true reward.

A run that does not learn is at fault in what actor and critics see or in the reward. Each half
can be given the true state while the other keeps its latents; the half whose truth puts the run
right was at fault. A check, not a way to train: :mod:`rig.representation.true_state` is given
both.

Nothing else differs from the run that is checked: the camera's images, the VAE that is fitted
to them and the choice of goals are its own. So a frame holds an image and what was true in it;
a latent is the image's latent with the true state beside it; and a goal is such a pair that was
seen, chosen by its latent. The networks are given the columns of one half alone, and the
reward's weight is zero on the other half.
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from jaxtyping import Float32, Float64, UInt8

from rig.agent.feature_extractor import side_of
from rig.agent.networks import Actor
from rig.config import Config, GoalConfig
from rig.envs.tasks import find_task
from rig.nn.patches import IMAGE_CHANNELS
from rig.representation.latent import LatentRepresentation
from rig.representation.pixels import PixelRepresentation
from rig.representation.prior import SeenPrior, goals_among
from rig.representation.true_state import (
    TrueStateObservation,
    TrueStateRepresentation,
    true_observation,
)
from rig.representation.vae import VAE
from rig.representation.whiten import Whitening
from rig.types import Encoding


Images = UInt8[np.ndarray, "N H W 3"]
States = Float64[np.ndarray, "N state"]
Frames = UInt8[np.ndarray, "N bytes"]
"""Images and what was true in them, as :func:`packed` puts them into rows of bytes."""
Pairs = Float32[np.ndarray, "N pair"]
"""Latents of images, each with the true state beside it, centred and scaled."""


def pack(images: Images, states: States) -> Frames:
    """Each image and its state as a row of bytes: replay and files hold them as one."""
    both = np.empty(len(images), _frame_type(images.shape[1], states.shape[1]))
    both["image"], both["state"] = images, states
    return both.view(np.uint8).reshape(len(both), both.itemsize)


def unpack(frames: Frames, state_size: int) -> tuple[Images, States]:
    """The images and states of rows that :func:`packed` made: views, not copies."""
    num_bytes = frames.shape[1] - state_size * np.dtype(np.float64).itemsize
    both = frames.view(_frame_type(side_of(num_bytes), state_size))[:, 0]
    return both["image"], both["state"]


def _frame_type(image_size: int, state_size: int) -> np.dtype:
    image = ("image", np.uint8, (image_size, image_size, IMAGE_CHANNELS))
    return np.dtype([image, ("state", np.float64, (state_size,))])


def images_of(config: Config, frames: np.ndarray) -> Images:
    """The images of a run's frames: the frames themselves, but for swapped halves."""
    return unpack(frames, state_size_of(config))[0] if config.is_hybrid else frames


def state_size_of(config: Config) -> int:
    """Numbers of the true state of a run's task."""
    return len(find_task(config.task).start)


class HybridObservation(TrueStateObservation):
    """Worlds that show their true state beside each image."""

    def _frame_space(self) -> spaces.Box:
        images = self.env.single_observation_space
        assert isinstance(images, spaces.Dict)
        image_size = images["observation"].shape[0]  # type: ignore[index]
        num_bytes = _frame_type(image_size, len(self._task.start)).itemsize
        return spaces.Box(0, 255, (num_bytes,), np.uint8)

    def _show(
        self, observation: dict[str, np.ndarray], info: dict[str, Any]
    ) -> dict[str, np.ndarray]:
        truth = true_observation(self._task, info)
        return {name: pack(observation[name], truth[name]) for name in truth}


class HybridRepresentation:
    """Latents with true states beside them: one half is seen, and one is rewarded.

    It stands where :class:`rig.representation.latent.LatentRepresentation` does.
    """

    def __init__(
        self, latents: LatentRepresentation, states: TrueStateRepresentation, config: Config
    ) -> None:
        self.latents, self.states, self._config = latents, states, config
        is_rewarded = config.reward.distance == "latent"
        halves = (is_rewarded * latents.weight, (not is_rewarded) * states.weight)
        self.weight: Float32[np.ndarray, " pair"] = np.concatenate(halves)

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any], config: Config) -> "HybridRepresentation":
        """The space that :meth:`arrays` took apart."""
        latents = LatentRepresentation.from_arrays(arrays["latents"])
        return cls(latents, TrueStateRepresentation.from_arrays(arrays["states"]), config)

    def arrays(self) -> dict[str, Any]:
        """Everything that makes this space, to be saved."""
        return {"latents": self.latents.arrays(), "states": self.states.arrays()}

    @property
    def latent_dim(self) -> int:
        """Numbers of a latent and a true state."""
        return len(self.weight)

    @property
    def num_goals(self) -> int:
        """Goals that practice draws from."""
        return self.states.num_goals

    @property
    def input_columns(self) -> slice:
        """What actor and critics see of a pair."""
        size = self.latents.latent_dim
        return slice(size, None) if self._config.input == "true" else slice(size)

    def split(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """Latents and true states."""
        size = self.latents.latent_dim
        return pairs[:, :size], pairs[:, size:]

    def encode(self, frames: Frames) -> Encoding:
        """The posterior of each image, and beside it what was true, which is certain."""
        images, states = unpack(frames, self.states.latent_dim)
        return _joined(self.latents.encode(images), self.states.encode(states))

    def imagine(self, num: int, *, rng: np.random.Generator) -> Pairs:
        """Goals, drawn from those chosen: a latent and a state of the same frame."""
        rows = rng.integers(self.num_goals, size=num)
        assert isinstance(self.latents.prior, SeenPrior)
        halves = (self.latents.prior.latents[rows], self.states.goals[rows])
        return np.concatenate(halves, axis=1)

    def with_goals_among(
        self, seen: Pairs, goals: GoalConfig, *, rng: np.random.Generator
    ) -> "HybridRepresentation":
        """The same space with goals among pairs seen, chosen by their latents alone."""
        rows = goals_among(self.split(seen)[0], goals.source, goals.skew, rng=rng)
        latents, states = self.split(seen[rows])
        half = LatentRepresentation(
            self.latents.vae, self.latents.whitening, SeenPrior(latents=latents)
        )
        return HybridRepresentation(half, self.states.with_goals(states), self._config)

    def reencode_goals(self, goals: Pairs, new: LatentRepresentation) -> Pairs:
        """Goals whose pictures are seen by another VAE; what was true of them stays."""
        latents, states = self.split(goals)
        return np.concatenate([self.latents.reencode_goals(latents, new), states], axis=1)

    def encode_and_act(
        self, actor: Actor, frames: Frames, goals: Pairs
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """What the actor does about the half that it sees, and both halves encoded."""
        images, states = unpack(frames, self.states.latent_dim)
        seen_goals = goals[:, self.input_columns]
        if self._config.input == "true":
            action, encoding = self.states.encode_and_act(actor, states, seen_goals)
            return action, _joined(self.latents.encode(images), encoding)
        action, encoding = self.latents.encode_and_act(actor, images, seen_goals)
        return action, _joined(encoding, self.states.encode(states))


Space = (
    LatentRepresentation | TrueStateRepresentation | PixelRepresentation | HybridRepresentation
)
"""What the agent sees: latents, the true state (oracle), pictures (end to end), or halves."""


def make_hybrid(
    config: Config,
    vae: VAE,
    whitening: Whitening,
    frames: Frames,
    *,
    rng: np.random.Generator,
) -> HybridRepresentation:
    """The space of a VAE and the task's true state, its goals among some frames.

    The scale of the true state is drawn from a generator of its own, so that ``rng`` gives
    what it gives to the run that is checked: the same images, VAE, goals and first networks.
    """
    states = TrueStateRepresentation.of_task(
        find_task(config.task), rng=np.random.default_rng(config.seed)
    )
    no_goals = SeenPrior(latents=np.empty((0, vae.latent_dim), np.float32))
    space = HybridRepresentation(LatentRepresentation(vae, whitening, no_goals), states, config)
    return space.with_goals_among(space.encode(frames).latent, config.goals, rng=rng)


def latent_half(space: LatentRepresentation | HybridRepresentation) -> LatentRepresentation:
    """The part of a space that sees images."""
    return space.latents if isinstance(space, HybridRepresentation) else space


def input_columns(space: Space) -> slice:
    """What actor and critics see of a latent: all, but for swapped halves."""
    return space.input_columns if isinstance(space, HybridRepresentation) else slice(None)


def input_size(space: Space) -> int:
    """How many numbers that is."""
    return len(range(space.latent_dim)[input_columns(space)])


def _joined(latents: Encoding, states: Encoding) -> Encoding:
    """Two encodings of the same frames, side by side."""
    return Encoding(
        latent=np.concatenate([latents.latent, states.latent], axis=1),
        log_std=np.concatenate([latents.log_std, states.log_std], axis=1),
    )
