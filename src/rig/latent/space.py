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
from jaxtyping import Float, Float32, UInt8

from rig.latent.chunks import in_chunks
from rig.latent.prior import GaussianPrior, Prior, SeenPrior, make_prior
from rig.latent.vae import VAE, to_float, to_uint8
from rig.types import Encoding


Actor = Callable[[Float[jax.Array, "N latent"], Float[jax.Array, "N latent"]], jax.Array]
"""Latents and goals in, actions out: the networks live in ``agent``, which we don't import."""


class LatentSpace:
    """A fitted VAE, the prior that goals are imagined from, and the reward's weights."""

    def __init__(
        self, vae: VAE, prior: Prior, weight: Float32[np.ndarray, " latent"] | None = None
    ) -> None:
        self.vae = vae
        self.prior = prior
        size = prior.mean.size if isinstance(prior, GaussianPrior) else prior.latents.shape[1]
        self.weight = np.ones(size, np.float32) if weight is None else weight

    @property
    def latent_size(self) -> int:
        """The number of latents."""
        return len(self.weight)

    @property
    def num_goals(self) -> int:
        """Latents that the prior keeps to draw from; 0 for a Gaussian."""
        return len(self.prior.latents) if isinstance(self.prior, SeenPrior) else 0

    def arrays(self) -> dict[str, Any]:
        """Everything that makes this space, to be saved."""
        return {"vae": self.vae, "prior": asdict(self.prior), "weight": self.weight}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> "LatentSpace":
        """The space that :meth:`arrays` took apart."""
        parts = {name: np.asarray(value) for name, value in arrays["prior"].items()}
        prior = SeenPrior(**parts) if "latents" in parts else GaussianPrior(**parts)
        return cls(arrays["vae"], prior, np.asarray(arrays["weight"]))

    def encode(self, images: UInt8[np.ndarray, "N H W 3"]) -> Encoding:
        """The posterior of each image."""
        posterior = in_chunks(partial(_encode, self.vae), images)
        return Encoding(latent=posterior[0], log_std=posterior[1])

    def decode(self, latents: Float32[np.ndarray, "N latent"]) -> UInt8[np.ndarray, "N H W 3"]:
        """The image of each latent."""
        return in_chunks(partial(_decode, self.vae), latents)

    def imagine(self, num: int, *, rng: np.random.Generator) -> Float32[np.ndarray, "N latent"]:
        """Goals, drawn from the prior."""
        return self.prior.sample(num, rng=rng)

    def see_and_act(
        self,
        actor: Actor,
        images: UInt8[np.ndarray, "N H W 3"],
        goals: Float32[np.ndarray, "N latent"],
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """What the actor does about images, and their posteriors, in one compiled call."""
        action, latent, log_std = _see_and_act(
            self.vae, actor, jnp.asarray(images), jnp.asarray(goals)
        )
        encoding = Encoding(latent=np.asarray(latent), log_std=np.asarray(log_std))
        return np.asarray(action), encoding


def make_space(
    vae: VAE,
    images: UInt8[np.ndarray, "N H W 3"],
    prior_source: str,
    skew: float,
    *,
    rng: np.random.Generator,
) -> LatentSpace:
    """The latent space of a VAE, with the prior made of its latents of some images."""
    seen, _ = in_chunks(partial(_encode, vae), images)
    return LatentSpace(vae, make_prior(prior_source, seen, skew, rng=rng))


@eqx.filter_jit
def _see_and_act(
    vae: VAE,
    actor: Actor,
    images: UInt8[jax.Array, "N H W 3"],
    goals: Float[jax.Array, "N latent"],
) -> tuple[Float[jax.Array, "N action"], ...]:
    """The actions for images and goals, and the images' posteriors."""
    posterior = jax.vmap(vae.encode)(to_float(images))
    return actor(posterior.mean, goals), posterior.mean, posterior.log_std


@eqx.filter_jit
def _encode(
    vae: VAE, images: UInt8[jax.Array, "N H W 3"]
) -> tuple[Float[jax.Array, "N latent"], Float[jax.Array, "N latent"]]:
    """Means and log standard deviations of the posteriors."""
    posterior = jax.vmap(vae.encode)(to_float(images))
    return posterior.mean, posterior.log_std


@eqx.filter_jit
def _decode(vae: VAE, latents: Float[jax.Array, "N latent"]) -> UInt8[jax.Array, "N H W 3"]:
    """The images of latents."""
    return to_uint8(jnp.clip(jax.vmap(vae.decode)(latents), 0, 1))
