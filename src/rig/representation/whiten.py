"""Whitening: rotate and scale latents to unit variance along their principal directions.

Latents have different scales: a motion across the image covers more pixels than one towards
the camera, and several feature points may track one object. Along principal directions each
motion counts once, and dividing by the standard deviation gives each the same weight.

A direction of little variance is noise. With variance λ and floor ε, in the encoder's units::

    latent_i = u_i · (z - mean) / sqrt(λ_i + ε)       input of actor and critic
    weight_i = λ_i / (λ_i + ε)                        weight in the reward's distance

This distance depends on how far objects move, not on how long that takes.
:func:`rescale_by_steps` includes that: a direction that takes many steps to move along, for
example that of a puck, weighs more.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32


class Whitening(eqx.Module):
    """An invertible affine map of latents, and the weight of each resulting latent."""

    mean: Float[Array, " latent"]
    matrix: Float[Array, "latent latent"]
    inverse: Float[Array, "latent latent"]
    weight: Float[Array, " latent"]

    def apply(self, latent: Float[Array, "*B latent"]) -> Float[Array, "*B latent"]:
        """Map the encoder's latents to whitened ones."""
        return (latent - self.mean) @ self.matrix

    def undo(self, latent: Float[Array, "*B latent"]) -> Float[Array, "*B latent"]:
        """Map whitened latents to the encoder's; the inverse of :meth:`apply`."""
        return latent @ self.inverse + self.mean

    def log_std(self, log_std: Float[Array, "*B latent"]) -> Float[Array, "*B latent"]:
        """Map the encoder's log standard deviations to those of whitened latents.

        The encoder's latents are taken as independent.
        """
        variance = jnp.exp(2 * log_std) @ self.matrix**2
        return 0.5 * jnp.log(jnp.maximum(variance, MIN_VARIANCE))


MIN_VARIANCE = 1e-12


def no_whitening(size: int) -> Whitening:
    """Return the identity map, with weight 1 for every latent."""
    identity = jnp.eye(size)
    return Whitening(jnp.zeros(size), identity, identity, jnp.ones(size))


def fit_whitening(seen: Float32[np.ndarray, "seen latent"], floor: float) -> Whitening:
    """Fit the whitening to latents; a floor of 0 gives the identity."""
    if floor == 0:
        return no_whitening(seen.shape[1])
    covariance = np.atleast_2d(np.cov(seen.astype(np.float64), rowvar=False))
    variance, directions = np.linalg.eigh(covariance)
    variance = np.maximum(variance, 0)
    scale = np.sqrt(variance + floor)
    return Whitening(
        mean=jnp.asarray(seen.mean(axis=0), jnp.float32),
        matrix=jnp.asarray(directions / scale, jnp.float32),
        inverse=jnp.asarray((directions * scale).T, jnp.float32),
        weight=jnp.asarray(variance / (variance + floor), jnp.float32),
    )


def rescale_by_steps(
    whitening: Whitening,
    latent: Float32[np.ndarray, "pairs latent"],
    next_latent: Float32[np.ndarray, "pairs latent"],
) -> Whitening:
    """Return a whitening whose distance is in steps of the robot.

    One step covers the same typical distance in every direction. This is the linear case of a
    temporal metric (Wang et al. 2023), which bounds the distance of consecutive states and
    maximises all others. The mean squared distance of random pairs is kept, and with it the
    scale of the reward.

    Args:
        whitening: The whitening to rotate towards the principal directions of a step.
        latent: The encoder's latents during practice.
        next_latent: The encoder's latents one step later.
    """
    old_weight = np.maximum(np.asarray(whitening.weight, np.float64), MIN_WEIGHT)
    matrix = np.asarray(whitening.matrix, np.float64) * old_weight
    step = (next_latent - latent) @ matrix
    step_variance, rotation = np.linalg.eigh(step.T @ step / len(step))
    weight = 1 / np.sqrt(np.maximum(step_variance, 0) + STEP_FLOOR)
    variance = np.var(latent @ matrix @ rotation, axis=0)
    weight *= np.sqrt(variance.sum() / (weight**2 * variance).sum())
    inverse = (rotation.T / old_weight) @ np.asarray(whitening.inverse)
    return Whitening(
        mean=whitening.mean,
        matrix=jnp.asarray(matrix @ rotation, jnp.float32),
        inverse=jnp.asarray(inverse, jnp.float32),
        weight=jnp.asarray(weight, jnp.float32),
    )


MIN_WEIGHT = 1e-3
"""Least weight of a latent, so that the map stays invertible."""
STEP_FLOOR = 0.005
"""Variance of a step, in squared whitened units, below which it counts as noise."""
