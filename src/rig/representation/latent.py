"""A fitted VAE: images in, latents out, goals imagined.

Everything here takes and gives NumPy arrays; the VAE runs compiled inside.
"""

from dataclasses import asdict
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, UInt8

from rig.config import Config, GoalConfig
from rig.nn.chunks import in_chunks
from rig.replay.buffer import ReplayBuffer
from rig.representation.collage import Collage
from rig.representation.compiled import decode, encode, encode_and_act
from rig.representation.fit import fine_tune
from rig.representation.fit_vae import fit_vae, some_of
from rig.representation.output_basis import OutputBasis, PatchBasis, PrincipalBasis
from rig.representation.prior import PRIORS, ComposedPrior, Prior, make_prior
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.representation import (
    Actions,
    Actor,
    FitMonitor,
    Images,
    Representation,
    Tree,
)
from rig.representation.things import find_parts
from rig.representation.vae import VAE, vae_template
from rig.representation.whiten import (
    Whitening,
    no_whitening,
)
from rig.types import Collected, Encoding, Parts


MAX_COMPONENTS = 10_000_000
"""No saved basis has more components; a larger number in the settings is damage."""


class LatentRepresentation(Representation):
    """A fitted VAE, the whitening of its latents, and the prior that goals are drawn from."""

    def __init__(
        self, vae: VAE, whitening: Whitening, prior: Prior, collage: Collage | None = None
    ) -> None:
        self.vae = vae
        self.whitening = whitening
        self.prior = prior
        self._collage = collage
        self.weight: Float32[np.ndarray, " latent"] = np.asarray(whitening.weight)

    @classmethod
    def fit(
        cls,
        config: Config,
        collected: Collected,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "LatentRepresentation":
        """Fit the VAE to the first images, then whitening and prior."""
        images = collected.images
        vae, whitening, rows = fit_vae(config, images, collected, monitor, rng=rng)
        new = cls._of(vae, images[rows], config, whitening, rng=rng)
        monitor.after_fit(new, images)
        return new

    @classmethod
    def _of(
        cls,
        vae: VAE,
        images: Images,
        config: Config,
        whitening: Whitening,
        *,
        rng: np.random.Generator,
    ) -> "LatentRepresentation":
        """Return the representation whose prior is made from the latents of some images."""
        goals = config.goals
        return make_latent_representation(
            vae, images, goals.source, goals.skew, rng=rng, whitening=whitening
        )

    @classmethod
    def input_size(cls, config: Config) -> int:
        """Return the number of latents."""
        return config.vae.latent_dim

    @classmethod
    def template(cls, config: Config, num_goals: int) -> Tree:
        """Return the shapes of :meth:`arrays`."""
        side, size = config.image_size, config.vae.latent_dim
        image = jnp.zeros((side, side, 3))
        output_basis: OutputBasis = PatchBasis()
        if config.vae.architecture != "patches":
            num = min(config.vae.num_components, MAX_COMPONENTS)
            output_basis = PrincipalBasis(jnp.zeros((side * side * 3, num)), image, side)
        vae = vae_template(config.vae, output_basis, image, key=jax.random.key(0))
        prior = PRIORS[config.goals.source].kind.template(size, num_goals)
        return {"vae": vae, "whitening": no_whitening(size), "prior": prior}

    @classmethod
    def from_arrays(cls, arrays: Tree, config: Config) -> "LatentRepresentation":
        """Return the representation that :meth:`arrays` saved."""
        parts = {name: np.asarray(value) for name, value in arrays["prior"].items()}
        prior = PRIORS[config.goals.source].kind(**parts)
        return cls(arrays["vae"], arrays["whitening"], prior)

    def arrays(self) -> Tree:
        """Return all arrays that must be saved."""
        prior = asdict(self.prior)  # type: ignore[call-overload]
        return {"vae": self.vae, "whitening": self.whitening, "prior": prior}

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        return len(self.weight)

    @property
    def num_goals(self) -> int:
        """The number of latents that the prior stores to draw from; 0 for a Gaussian."""
        return self.prior.num_goals

    @property
    def parts(self) -> Parts | None:
        """What each thing adds to a latent, where goals are composed of them."""
        if not isinstance(self.prior, ComposedPrior):
            return None
        return self.prior.parts[self.prior.parts.any(axis=(1, 2))]

    def encode(self, frames: Images) -> Encoding:
        """Return the posterior of each image."""
        posterior = in_chunks(partial(encode, self.vae, self.whitening), frames)
        return Encoding(latent=posterior[0], log_std=posterior[1])

    def decode(self, latents: Float32[np.ndarray, "N latent"]) -> Images:
        """Return the image of each latent."""
        if self._collage is not None:
            return self._collage.paint(latents)
        return in_chunks(partial(decode, self.vae, self.whitening), latents)

    def imagine(self, num: int, *, rng: np.random.Generator) -> Float32[np.ndarray, "N latent"]:
        """Return goals drawn from the prior."""
        return self.prior.sample(num, rng=rng)

    def encode_and_act(
        self, actor: Actor, frames: Images, goals: Float32[np.ndarray, "N latent"]
    ) -> tuple[Actions, Encoding]:
        """Return the actor's actions and the images' posteriors, in one compiled call."""
        action, latent, log_std = encode_and_act(
            self.vae, self.whitening, actor, jnp.asarray(frames), jnp.asarray(goals)
        )
        encoding = Encoding(latent=np.asarray(latent), log_std=np.asarray(log_std))
        return np.asarray(action), encoding

    def with_prior(self, prior: Prior) -> "LatentRepresentation":
        """Return the same representation with another prior."""
        return type(self)(self.vae, self.whitening, prior, self._collage)

    @property
    def collage(self) -> Collage | None:
        """What latents are shown with, if not the decoder."""
        return self._collage

    def with_collage(self, collage: Collage | None) -> "LatentRepresentation":
        """Return the same representation that shows latents with a collage."""
        return type(self)(self.vae, self.whitening, self.prior, collage)

    def finetune(
        self,
        replay: ReplayBuffer,
        config: Config,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "LatentRepresentation":
        """Return the representation with its VAE fitted further and a new prior."""
        frames = replay.frames
        vae = fine_tune(self.vae, frames, config.vae, config.online.num_fit_steps, rng=rng)
        new = self._of(vae, some_of(frames, rng=rng), config, self.whitening, rng=rng)
        monitor.after_fit(new, frames)
        return new

    def reencode_goals(
        self, goals: Float32[np.ndarray, "N latent"], new: Representation
    ) -> Float32[np.ndarray, "N latent"]:
        """Return the goals' images as a fine-tuned VAE encodes them.

        If both VAEs encode those images alike, the goals stay as they are. A fit that changes
        only the standard deviation of latents, as of quantile keypoints, moves no latent, and
        decoding and encoding a goal would replace it by what the decoder made of it.
        """
        images = self.decode(goals)
        before, after = self.encode(images).latent, new.encode(images).latent
        return goals if np.array_equal(before, after) else after

    def refresh_prior(
        self, replay: ReplayBuffer, config: Config, *, rng: np.random.Generator
    ) -> "LatentRepresentation":
        """Return the same representation with a prior made from the latents in replay."""
        some = some_of(replay.latents, rng=rng)
        return self.with_prior(self.new_prior(some, config.goals, rng=rng))

    def new_prior(
        self,
        seen: Float32[np.ndarray, "N latent"],
        goals: GoalConfig,
        *,
        rng: np.random.Generator,
    ) -> Prior:
        """Return a prior made from other latents, with the same things."""
        parts = self.prior.parts if isinstance(self.prior, ComposedPrior) else None
        return make_prior(goals.source, seen, goals.skew, parts, rng=rng)


def make_latent_representation(
    vae: VAE,
    images: UInt8[np.ndarray, "N H W 3"],
    prior_source: str,
    skew: float,
    *,
    rng: np.random.Generator,
    whitening: Whitening | None = None,
) -> LatentRepresentation:
    """Return the representation of a VAE, with a prior made from its latents of some images."""
    whitening = whitening or no_whitening(vae.latent_dim)
    seen, _ = in_chunks(partial(encode, vae, whitening), images)
    parts, encoder = None, vae.encoder
    if prior_source == "composed" and isinstance(encoder, QuantileKeypointEncoder):
        parts = find_parts(encoder, images)
    prior = make_prior(prior_source, seen, skew, parts, rng=rng)
    return LatentRepresentation(vae, whitening, prior)
