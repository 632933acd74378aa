"""The loss of a VAE: the reconstruction error plus beta times the KL divergence, in nats."""

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from rig.representation.vae import VAE


def vae_loss(
    vae: VAE,
    images: Float[Array, "B H W 3"],
    targets: Float[Array, "B *coefficients"],
    weight: Float[Array, ""],
    beta: float,
    *,
    key: PRNGKeyArray,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Return the weighted reconstruction error plus beta times the KL, and metrics."""
    keys = jax.random.split(key, len(images))
    posterior = jax.vmap(vae.encode)(images)
    latent = jax.vmap(lambda one, key: one.sample(key=key))(posterior, keys)
    error = pixel_error(targets, jax.vmap(vae.decode_logits)(latent), vae.likelihood)
    error_nats = weight * error.sum() / len(images)
    kl_nats = posterior.kl_to_standard_normal().sum() / len(images)
    loss = error_nats + beta * kl_nats
    return loss, {"vae/loss_nats": loss, "vae/error_nats": error_nats, "vae/kl_nats": kl_nats}


def pixel_error(
    target: Float[Array, "*B"], logits: Float[Array, "*B"], likelihood: str
) -> Float[Array, "*B"]:
    """Return the squared error (gaussian), or the cross-entropy with logits (bernoulli).

    Both are in nats, up to a constant.
    """
    if likelihood == "gaussian":
        return (target - logits) ** 2
    return jax.nn.softplus(logits) - target * logits
