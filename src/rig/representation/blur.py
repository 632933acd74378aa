"""Blurring what is left to explain, from coarse to fine."""

import jax.numpy as jnp
from jaxtyping import Array, Float


BLURRED_SHARE = 0.75
"""Share of a group's fit that is spent on blurred targets."""
REFERENCE_SIZE = 48
"""Image size that blurs are written for, pixels."""


def blur_stages(num_steps: int, sigmas_px: tuple[float, ...]) -> list[tuple[float, int]]:
    """The blur and the number of steps of each stage of a fit; the last one is sharp."""
    if not sigmas_px:
        return [(0.0, num_steps)]
    num_each = int(BLURRED_SHARE * num_steps) // len(sigmas_px)
    stages = [(sigma_px, num_each) for sigma_px in sigmas_px]
    return [*stages, (0.0, num_steps - num_each * len(sigmas_px))]


def blur_matrix(sigma_px: float, size: int) -> Float[Array, "size size"]:
    """Gaussian blur along one axis, as a matrix whose rows sum to 1; identity for sigma 0."""
    if sigma_px == 0:
        return jnp.eye(size)
    offset = jnp.arange(size)[:, None] - jnp.arange(size)[None, :]
    weight = jnp.exp(-0.5 * (offset * REFERENCE_SIZE / size / sigma_px) ** 2)
    return weight / weight.sum(axis=1, keepdims=True)


def blur(
    image: Float[Array, "H W 3"], matrix: Float[Array, "size size"]
) -> Float[Array, "H W 3"]:
    """An image under the blur of a matrix along both axes."""
    return jnp.einsum("ij,jkc,lk->ilc", matrix, image, matrix)
