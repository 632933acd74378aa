"""Gaussian blur of the targets of a VAE fit, from coarse to fine."""

import jax.numpy as jnp
from jaxtyping import Array, Float


BLURRED_SHARE = 0.75
"""Fraction of the steps of a fit that use blurred targets."""
REFERENCE_SIZE = 48
"""Image size for which a blur's sigma is given [pixels]."""


def blur_stages(num_steps: int, sigmas_px: tuple[float, ...]) -> list[tuple[float, int]]:
    """Return the blur [pixels] and the number of steps of each stage; the last is sharp."""
    if not sigmas_px:
        return [(0.0, num_steps)]
    num_each = int(BLURRED_SHARE * num_steps) // len(sigmas_px)
    stages = [(sigma_px, num_each) for sigma_px in sigmas_px]
    return [*stages, (0.0, num_steps - num_each * len(sigmas_px))]


def blur_matrix(sigma_px: float, size: int) -> Float[Array, "size size"]:
    """Return a Gaussian blur along one axis as a matrix whose rows sum to 1.

    ``sigma_px`` is in pixels of an image of ``REFERENCE_SIZE``. The blur of sigma 0 is the
    identity.
    """
    if sigma_px == 0:
        return jnp.eye(size)
    offset = jnp.arange(size)[:, None] - jnp.arange(size)[None, :]
    weight = jnp.exp(-0.5 * (offset * REFERENCE_SIZE / size / sigma_px) ** 2)
    return weight / weight.sum(axis=1, keepdims=True)


def blur(
    image: Float[Array, "H W 3"], matrix: Float[Array, "size size"]
) -> Float[Array, "H W 3"]:
    """Blur an image with a matrix along both axes."""
    return jnp.einsum("ij,jkc,lk->ilc", matrix, image, matrix)
