"""The loss of a VAE: the reconstruction error plus beta times the KL divergence, in nats."""

import jax
from jaxtyping import Array, Float, PRNGKeyArray

from rig.representation.vae import VAE, Posterior


def vae_loss(
    vae: VAE,
    inputs: Float[Array, "B *input"],
    targets: Float[Array, "B *coefficients"],
    weight: Float[Array, ""],
    beta: float,
    *,
    key: PRNGKeyArray,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Return the weighted reconstruction error plus beta times the KL, and metrics.

    Args:
        vae: The VAE.
        inputs: Images, or what its encoder takes in their place.
        targets: What to reconstruct.
        weight: Of the reconstruction error.
        beta: Of the KL.
        key: Draws the samples of the posteriors.
    """
    keys = jax.random.split(key, len(inputs))
    posterior = jax.vmap(lambda one: Posterior(*vae.encoder(one)))(inputs)
    latent = jax.vmap(lambda one, key: one.sample(key=key))(posterior, keys)
    error = pixel_error(targets, jax.vmap(vae.decode_logits)(latent), vae.likelihood)
    error_nats = weight * error.sum() / len(inputs)
    kl_nats = posterior.kl_to_standard_normal().sum() / len(inputs)
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
