"""The true-state ablation: the true state as input, or for the reward, but not for both.

If a run does not learn, either what actor and critics see or the reward is the cause. Each of
them can be given the true state while the other keeps its latents: the one that makes the run
learn was the cause. This is a diagnosis, not a way to train. With
:mod:`rig.representation.true_state` both are given the true state.

Nothing else differs from the run that is diagnosed: the camera's images, the VAE that is fitted
to them and the choice of goals are its own. So a frame packs an image and the true state; a
latent is the image's latent next to the scaled true state; and a goal is such a pair that was
observed, chosen by its latent. The networks see the columns of one half, and the reward's
weight is zero on the other.
"""

import numpy as np
from jaxtyping import Float32, Float64

from rig.config import Config, GoalConfig
from rig.envs.tasks import find_task, is_external
from rig.replay.buffer import ReplayBuffer
from rig.representation.fit import fine_tune
from rig.representation.fit_vae import fit_vae, some_of
from rig.representation.goal_density import goals_among
from rig.representation.hybrid_frames import Frames, HybridObservation, unpack
from rig.representation.latent import LatentRepresentation
from rig.representation.prior import SeenPrior
from rig.representation.representation import (
    Actions,
    Actor,
    Envs,
    FitMonitor,
    Images,
    Representation,
    Tree,
)
from rig.representation.true_state import (
    TrueStateRepresentation,
    state_size_of,
)
from rig.representation.vae import VAE
from rig.representation.whiten import Whitening
from rig.types import Collected, Encoding


Pairs = Float32[np.ndarray, "N pair"]
"""Latents of images, each next to the scaled true state."""


class HybridRepresentation(Representation):
    """Latents next to true states: the networks see one half, the reward compares one."""

    needs_true_state = True

    def __init__(
        self, latents: LatentRepresentation, states: TrueStateRepresentation, config: Config
    ) -> None:
        self.latents, self.states, self._config = latents, states, config
        is_rewarded = config.reward.distance == "latent"
        halves = (is_rewarded * latents.weight, (not is_rewarded) * states.weight)
        self.weight: Float32[np.ndarray, " pair"] = np.concatenate(halves)

    @classmethod
    def observe(cls, envs: Envs, config: Config) -> Envs:
        """Return environments that show image and true state."""
        return HybridObservation(envs)

    @classmethod
    def fit(
        cls,
        config: Config,
        collected: Collected,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "HybridRepresentation":
        """Fit the VAE as the diagnosed run does, and choose goals among the frames."""
        images = unpack(collected.images, state_size_of(config))[0]
        vae, whitening, rows = fit_vae(config, images, collected, monitor, rng=rng)
        states = scaled_states(config, unpack(collected.images, state_size_of(config))[1])
        new = cls.of_vae(config, vae, whitening, states, collected.images[rows], rng=rng)
        monitor.after_fit(new.latents, images)
        return new

    @classmethod
    def of_vae(
        cls,
        config: Config,
        vae: VAE,
        whitening: Whitening,
        states: TrueStateRepresentation,
        frames: Frames,
        *,
        rng: np.random.Generator,
    ) -> "HybridRepresentation":
        """Return the representation of a VAE and true states, with goals among frames."""
        no_goals = SeenPrior(latents=np.empty((0, vae.latent_dim), np.float32))
        new = cls(LatentRepresentation(vae, whitening, no_goals), states, config)
        return new.with_goals_among(new.encode(frames).latent, config.goals, rng=rng)

    @classmethod
    def input_size(cls, config: Config) -> int:
        """Return the length of the half that actor and critics see."""
        sees_truth = config.input == "true"
        return (TrueStateRepresentation if sees_truth else LatentRepresentation).input_size(
            config
        )

    @classmethod
    def template(cls, config: Config, num_goals: int) -> Tree:
        """Return the shapes of :meth:`arrays`."""
        return {
            "latents": LatentRepresentation.template(config, num_goals),
            "states": TrueStateRepresentation.template(config, num_goals),
        }

    @classmethod
    def from_arrays(cls, arrays: Tree, config: Config) -> "HybridRepresentation":
        """Return the representation that :meth:`arrays` saved."""
        latents = LatentRepresentation.from_arrays(arrays["latents"], config)
        states = TrueStateRepresentation.from_arrays(arrays["states"], config)
        return cls(latents, states, config)

    def arrays(self) -> Tree:
        """Return all arrays that must be saved."""
        return {"latents": self.latents.arrays(), "states": self.states.arrays()}

    @property
    def latent_dim(self) -> int:
        """The length of a latent and a true state together."""
        return len(self.weight)

    @property
    def num_goals(self) -> int:
        """The number of goals that practice draws from."""
        return self.states.num_goals

    @property
    def input_columns(self) -> slice:
        """The half of a pair that actor and critics see."""
        size = self.latents.latent_dim
        return slice(size, None) if self._config.input == "true" else slice(size)

    def split(self, pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        """Return latents and true states."""
        size = self.latents.latent_dim
        return pairs[:, :size], pairs[:, size:]

    def encode(self, frames: Frames) -> Encoding:
        """Return the posterior of each image next to the true state, which is certain."""
        images, states = unpack(frames, self.states.latent_dim)
        return _joined(self.latents.encode(images), self.states.encode(states))

    def decode(self, latents: Pairs) -> Images:
        """Return the image of each latent; the true state next to it changes nothing."""
        return self.latents.decode(self.split(latents)[0])

    def imagine(self, num: int, *, rng: np.random.Generator) -> Pairs:
        """Return goals: a latent and a state of the same frame."""
        rows = rng.integers(self.num_goals, size=num)
        assert isinstance(self.latents.prior, SeenPrior)
        halves = (self.latents.prior.latents[rows], self.states.goals[rows])
        return np.concatenate(halves, axis=1)

    def with_goals_among(
        self, seen: Pairs, goals: GoalConfig, *, rng: np.random.Generator
    ) -> "HybridRepresentation":
        """Return the same representation with goals among pairs, chosen by their latents."""
        rows = goals_among(self.split(seen)[0], goals.source, goals.skew, rng=rng)
        latents, states = self.split(seen[rows])
        half = self.latents.with_prior(SeenPrior(latents=latents))
        return type(self)(half, self.states.with_goals(states), self._config)

    def finetune(
        self,
        replay: ReplayBuffer,
        config: Config,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "HybridRepresentation":
        """Return the representation with its VAE fitted further; true states stay."""
        images = unpack(replay.frames, self.states.latent_dim)[0]
        num_steps = config.online.num_fit_steps
        vae = fine_tune(self.latents.vae, images, config.vae, num_steps, rng=rng)
        some = some_of(replay.frames, rng=rng)
        new = self.of_vae(config, vae, self.latents.whitening, self.states, some, rng=rng)
        monitor.after_fit(new.latents, images)
        return new

    def reencode_goals(self, goals: Pairs, new: Representation) -> Pairs:
        """Return goals whose images another VAE encodes; their true states stay."""
        assert isinstance(new, HybridRepresentation)
        latents, states = self.split(goals)
        return np.concatenate([self.latents.reencode_goals(latents, new.latents), states], 1)

    def refresh_prior(
        self, replay: ReplayBuffer, config: Config, *, rng: np.random.Generator
    ) -> "HybridRepresentation":
        """Return the same representation with goals among the pairs that replay holds."""
        return self.with_goals_among(some_of(replay.latents, rng=rng), config.goals, rng=rng)

    def encode_and_act(
        self, actor: Actor, frames: Frames, goals: Pairs
    ) -> tuple[Actions, Encoding]:
        """Return the actor's actions for the half that it sees, and both halves encoded."""
        if self._config.input == "true":
            return super().encode_and_act(actor, frames, goals)
        images, states = unpack(frames, self.states.latent_dim)
        action, encoding = self.latents.encode_and_act(
            actor, images, goals[:, self.input_columns]
        )
        return action, _joined(encoding, self.states.encode(states))


def scaled_states(
    config: Config, seen: Float64[np.ndarray, "N state"]
) -> TrueStateRepresentation:
    """Return how true states are scaled: as the task's goals, or as what practice has seen.

    The goals are drawn from a generator of their own, so that the run's generator gives what it
    gives to the run that is diagnosed: same images, VAE, goals and networks.
    """
    if is_external(config.task):
        return TrueStateRepresentation.of_states(seen, in_metres=False)
    rng = np.random.default_rng(config.seed)
    return TrueStateRepresentation.of_task(find_task(config.task), rng=rng)


def _joined(latents: Encoding, states: Encoding) -> Encoding:
    """Return two encodings of the same frames, side by side."""
    return Encoding(
        latent=np.concatenate([latents.latent, states.latent], axis=1),
        log_std=np.concatenate([latents.log_std, states.log_std], axis=1),
    )
