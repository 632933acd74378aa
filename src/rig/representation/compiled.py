"""The VAE with its whitening, compiled: encode, decode, and encode and act in one call."""

import equinox as eqx
import jax
from jaxtyping import Float, UInt8

from rig.representation.representation import Actor
from rig.representation.vae import VAE, to_float, to_uint8
from rig.representation.whiten import Whitening


@eqx.filter_jit
def encode_and_act(
    vae: VAE,
    whitening: Whitening,
    actor: Actor,
    images: UInt8[jax.Array, "N H W 3"],
    goals: Float[jax.Array, "N latent"],
) -> tuple[Float[jax.Array, "N action"], ...]:
    """Return the actions for images and goals, and the images' posteriors."""
    latent, log_std = encode(vae, whitening, images)
    return actor(latent, goals), latent, log_std


@eqx.filter_jit
def encode(
    vae: VAE, whitening: Whitening, images: UInt8[jax.Array, "N H W 3"]
) -> tuple[Float[jax.Array, "N latent"], Float[jax.Array, "N latent"]]:
    """Return means and log standard deviations of the posteriors."""
    posterior = jax.vmap(vae.encode)(to_float(images))
    return whitening.apply(posterior.mean), whitening.log_std(posterior.log_std)


@eqx.filter_jit
def decode(
    vae: VAE, whitening: Whitening, latents: Float[jax.Array, "N latent"]
) -> UInt8[jax.Array, "N H W 3"]:
    """Return the images of latents."""
    return to_uint8(jax.vmap(vae.decode)(whitening.undo(latents)))
