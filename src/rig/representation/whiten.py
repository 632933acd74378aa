"""Whitening: latents in units of how far they range, along the directions in which they do.

Keypoints come in their own scales: what moves across the image ranges further than what moves
towards the camera, and one thing may be followed by several keypoints. Principal directions
count each motion once, and dividing by the spread gives each the same weight.

A direction that hardly varies is noise. With variance λ and floor ε, in the encoder's units::

    latent_i = u_i · (z - mean) / sqrt(λ_i + ε)       what actor and critic see
    weight_i = λ_i / (λ_i + ε)                        what it counts for in the reward

So the distance knows how far things range, and nothing of how they move. :func:`in_steps` turns
it into one that does: what takes many steps to move, as a puck, is farther away.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32


class Whitening(eqx.Module):
    """An invertible affine map of latents, and the weight of each afterwards."""

    mean: Float[Array, " latent"]
    matrix: Float[Array, "latent latent"]
    inverse: Float[Array, "latent latent"]
    weight: Float[Array, " latent"]

    def apply(self, latent: Float[Array, "*B latent"]) -> Float[Array, "*B latent"]:
        """From the encoder's latents to whitened ones."""
        return (latent - self.mean) @ self.matrix

    def undo(self, latent: Float[Array, "*B latent"]) -> Float[Array, "*B latent"]:
        """From whitened latents to the encoder's."""
        return latent @ self.inverse + self.mean

    def spread(self, log_std: Float[Array, "*B latent"]) -> Float[Array, "*B latent"]:
        """The log standard deviations that independent ones become."""
        variance = jnp.exp(2 * log_std) @ self.matrix**2
        return 0.5 * jnp.log(jnp.maximum(variance, MIN_VARIANCE))


MIN_VARIANCE = 1e-12


def no_whitening(size: int) -> Whitening:
    """The map that changes nothing."""
    same = jnp.eye(size)
    return Whitening(jnp.zeros(size), same, same, jnp.ones(size))


def fit_whitening(seen: Float32[np.ndarray, "seen latent"], floor: float) -> Whitening:
    """The whitening of these latents; a floor of 0 asks for none."""
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


def in_steps(
    whitening: Whitening,
    latent: Float32[np.ndarray, "pairs latent"],
    next_latent: Float32[np.ndarray, "pairs latent"],
) -> Whitening:
    """The whitening whose distance counts steps: consecutive latents are as far in every way.

    The linear case of a temporal metric (Wang et al. 2023): consecutive states stay within a
    distance, and others are as far apart as that allows. The sum of squares that it gives to
    typical pairs stays, so that the reward's scale does.

    Args:
        whitening: Its latents are turned into directions of the step.
        latent: The encoder's, as practice saw them.
        next_latent: Those one step later.
    """
    counts = np.maximum(np.asarray(whitening.weight, np.float64), MIN_COUNT)
    matrix = np.asarray(whitening.matrix, np.float64) * counts
    step = (next_latent - latent) @ matrix
    variance, turn = np.linalg.eigh(step.T @ step / len(step))
    weight = 1 / np.sqrt(np.maximum(variance, 0) + STEP_FLOOR)
    spread = np.var(latent @ matrix @ turn, axis=0)
    weight *= np.sqrt(spread.sum() / (weight**2 * spread).sum())
    return Whitening(
        mean=whitening.mean,
        matrix=jnp.asarray(matrix @ turn, jnp.float32),
        inverse=jnp.asarray((turn.T / counts) @ np.asarray(whitening.inverse), jnp.float32),
        weight=jnp.asarray(weight, jnp.float32),
    )


MIN_COUNT = 1e-3
"""Least that a latent counts for, so that it can be undone."""
STEP_FLOOR = 0.005
"""Variance of a step, in whitened units squared, below which it is taken for noise."""
