"""The latent space as the loop uses it: images in, latents out, goals imagined.

Everything here takes and gives NumPy arrays; the VAE runs compiled inside.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from rig.nn.chunks import in_chunks
from rig.representation.prior import GaussianPrior, Prior, SeenPrior, make_prior
from rig.representation.reward import latent_reward
from rig.representation.vae import VAE, to_float, to_uint8
from rig.representation.whiten import Whitening, fit_whitening, no_whitening, rescale_by_steps
from rig.types import Encoding


Actor = Callable[[Float[jax.Array, "N latent"], Float[jax.Array, "N latent"]], jax.Array]
"""Latents and goals in, actions out: the networks live in ``agent``, which we don't import."""


class LatentRepresentation:
    """A fitted VAE, how its latents are whitened, and the prior that goals come from."""

    def __init__(self, vae: VAE, whitening: Whitening, prior: Prior) -> None:
        self.vae = vae
        self.whitening = whitening
        self.prior = prior
        self.weight: Float32[np.ndarray, " latent"] = np.asarray(whitening.weight)

    @property
    def latent_dim(self) -> int:
        """The number of latents."""
        return len(self.weight)

    @property
    def num_goals(self) -> int:
        """Latents that the prior keeps to draw from; 0 for a Gaussian."""
        return len(self.prior.latents) if isinstance(self.prior, SeenPrior) else 0

    def arrays(self) -> dict[str, Any]:
        """Everything that makes this space, to be saved."""
        prior = asdict(self.prior)
        return {"vae": self.vae, "whitening": self.whitening, "prior": prior}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> "LatentRepresentation":
        """The space that :meth:`arrays` took apart."""
        parts = {name: np.asarray(value) for name, value in arrays["prior"].items()}
        prior = SeenPrior(**parts) if "latents" in parts else GaussianPrior(**parts)
        return cls(arrays["vae"], arrays["whitening"], prior)

    def encode(self, images: UInt8[np.ndarray, "N H W 3"]) -> Encoding:
        """The posterior of each image."""
        posterior = in_chunks(partial(_encode, self.vae, self.whitening), images)
        return Encoding(latent=posterior[0], log_std=posterior[1])

    def decode(self, latents: Float32[np.ndarray, "N latent"]) -> UInt8[np.ndarray, "N H W 3"]:
        """The image of each latent."""
        return in_chunks(partial(_decode, self.vae, self.whitening), latents)

    def reencode_goals(
        self, goals: Float32[np.ndarray, "N latent"], new: "LatentRepresentation"
    ) -> Float32[np.ndarray, "N latent"]:
        """Goals as another space has them: it encodes the pictures that they stand for here.

        If it sees those pictures as this one does, the goals stay as they are. A fit that
        learns only the spread of latents, as of keypoints, moves none of them, and to decode
        and encode a goal would put what the decoder paints in the place of what was wanted.
        """
        pictures = self.decode(goals)
        before, after = self.encode(pictures).latent, new.encode(pictures).latent
        return goals if np.array_equal(before, after) else after

    def imagine(self, num: int, *, rng: np.random.Generator) -> Float32[np.ndarray, "N latent"]:
        """Goals, drawn from the prior."""
        return self.prior.sample(num, rng=rng)

    def distance(
        self,
        latents: Float32[np.ndarray, "N latent"],
        goals: Float32[np.ndarray, "N latent"],
    ) -> Float32[np.ndarray, " N"]:
        """Weighted Euclidean distance, as the reward measures it."""
        return -latent_reward(latents, goals, self.weight)

    def encode_and_act(
        self,
        actor: Actor,
        images: UInt8[np.ndarray, "N H W 3"],
        goals: Float32[np.ndarray, "N latent"],
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """What the actor does about images, and their posteriors, in one compiled call."""
        action, latent, log_std = _see_and_act(
            self.vae, self.whitening, actor, jnp.asarray(images), jnp.asarray(goals)
        )
        encoding = Encoding(latent=np.asarray(latent), log_std=np.asarray(log_std))
        return np.asarray(action), encoding


def make_latent_representation(
    vae: VAE,
    images: UInt8[np.ndarray, "N H W 3"],
    prior_source: str,
    skew: float,
    *,
    rng: np.random.Generator,
    whitening: Whitening | None = None,
) -> LatentRepresentation:
    """The latent space of a VAE, with the prior made of its latents of some images."""
    whitening = whitening or no_whitening(vae.latent_dim)
    seen, _ = in_chunks(partial(_encode, vae, whitening), images)
    return LatentRepresentation(vae, whitening, make_prior(prior_source, seen, skew, rng=rng))


def whiten(vae: VAE, images: UInt8[np.ndarray, "N H W 3"], floor: float) -> Whitening:
    """The whitening of a VAE's latents of some images."""
    seen, _ = in_chunks(partial(_encode, vae, no_whitening(vae.latent_dim)), images)
    return fit_whitening(seen, floor)


def weigh_by_steps(
    vae: VAE,
    whitening: Whitening,
    images: UInt8[np.ndarray, "N H W 3"],
    rows_that_lead_on: Int[np.ndarray, " pairs"],
) -> Whitening:
    """The whitening in which distance counts steps, given images and which lead to the next."""
    seen, _ = in_chunks(partial(_encode, vae, no_whitening(vae.latent_dim)), images)
    return rescale_by_steps(whitening, seen[rows_that_lead_on], seen[rows_that_lead_on + 1])


@eqx.filter_jit
def _see_and_act(
    vae: VAE,
    whitening: Whitening,
    actor: Actor,
    images: UInt8[jax.Array, "N H W 3"],
    goals: Float[jax.Array, "N latent"],
) -> tuple[Float[jax.Array, "N action"], ...]:
    """The actions for images and goals, and the images' posteriors."""
    latent, log_std = _encode(vae, whitening, images)
    return actor(latent, goals), latent, log_std


@eqx.filter_jit
def _encode(
    vae: VAE, whitening: Whitening, images: UInt8[jax.Array, "N H W 3"]
) -> tuple[Float[jax.Array, "N latent"], Float[jax.Array, "N latent"]]:
    """Means and log standard deviations of the posteriors."""
    posterior = jax.vmap(vae.encode)(to_float(images))
    return whitening.apply(posterior.mean), whitening.log_std(posterior.log_std)


@eqx.filter_jit
def _decode(
    vae: VAE, whitening: Whitening, latents: Float[jax.Array, "N latent"]
) -> UInt8[jax.Array, "N H W 3"]:
    """The images of latents."""
    return to_uint8(jax.vmap(vae.decode)(whitening.undo(latents)))
