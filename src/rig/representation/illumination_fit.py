"""Fit the illumination to images: the background, how often it shows, noise and shaking."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, UInt8

from rig.nn.chunks import in_chunks
from rig.representation.background import find_background
from rig.representation.illumination import DARK, Illumination, planes_of
from rig.representation.shake import shaking_px


MIN_STD = 2.0
"""Least standard deviation of a pixel's noise [levels]: cameras round, compress and shake."""

Images = UInt8[np.ndarray, "N H W 3"]


def fit_illumination(images: Images, in_order: Images, blank: Illumination) -> Illumination:
    """Fit the background and its noise, once more without shaking if the camera shakes.

    Args:
        images: The background is computed from these.
        in_order: If they follow each other in time, they tell whether the camera shakes.
        blank: Has the right shapes.
    """
    still = fit_background(images, blank)
    shaking = shaking_px(in_chunks(partial(offset_of_all, still), in_order))
    if not shaking:
        return still
    shaken = eqx.tree_at(lambda i: i.shaking_px, blank, jnp.asarray(shaking, jnp.float32))
    return fit_background(images, shaken)


def fit_background(images: Images, blank: Illumination) -> Illumination:
    """Fit the background and its noise."""
    median = np.median(images, axis=0).astype(np.float32)
    found = eqx.tree_at(lambda i: i.background, blank, jnp.log(jnp.asarray(median) + DARK))
    for _ in range(2):
        ratio = in_chunks(partial(ratio_of_all, found), images)
        values = ratio + np.asarray(found.background)
        parts = map(jnp.asarray, find_background(values, noise_of(ratio)))
        found = eqx.tree_at(lambda i: (i.background, i.visible_share), found, tuple(parts))
    ratio = in_chunks(partial(ratio_of_all, found), images)
    precision, noise = precision_of(ratio, np.asarray(found.background))
    new = (jnp.asarray(precision), jnp.asarray(noise, jnp.float32))
    return eqx.tree_at(lambda i: (i.precision, i.noise), found, new)


def noise_of(ratio: Float32[np.ndarray, "N H W 3"]) -> Float32[np.ndarray, "H W"]:
    """Return the standard deviation of each pixel while it shows the background."""
    middle = 1.4826 * np.median(np.abs(ratio).max(axis=-1), axis=0)
    return np.minimum(middle, 2 * np.median(middle)).astype(np.float32)


def precision_of(
    ratio: Float32[np.ndarray, "N H W 3"], background: Float32[np.ndarray, "H W 3"]
) -> tuple[Float32[np.ndarray, "H W 6"], float]:
    """Return the inverse covariance of each pixel's noise, and the noise [levels].

    All pixels share one covariance in levels, times a factor of their own.
    """
    levels = np.exp(background)
    spread = np.abs(ratio).max(axis=-1)
    limit = 4 * np.maximum(np.median(spread, axis=0), MIN_STD / levels.max(axis=-1))
    is_background = spread < np.minimum(limit, 3 * np.median(limit))
    count = np.maximum(is_background.sum(axis=0), 8)[..., None, None]
    masked = ratio * is_background[..., None]
    own = np.einsum("nhwi,nhwj->hwij", masked, masked) / count
    scale = levels[..., :, None] * levels[..., None, :]
    shared = np.median((own * scale).reshape(-1, 3, 3), axis=0)
    size = np.trace(own * scale, axis1=-2, axis2=-1) / max(np.trace(shared), 1e-9)
    factor = np.clip(size, 0.5, 4)[..., None, None]
    covariance = (factor * shared + MIN_STD**2 * np.eye(3)) / scale
    inverse = np.linalg.inv(covariance).astype(np.float32)
    noise = float(np.sqrt(np.trace(shared) / 3))
    i, j = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]
    return inverse[..., i, j], noise


@eqx.filter_jit
def offset_of_all(illumination: Illumination, images: Array) -> Array:
    """Return how far each image seems to be off [pixels]."""

    def offset(image: Array) -> Array:
        return illumination.offset(illumination.relit(planes_of(image)))

    return jax.vmap(offset)(images.astype(jnp.float32))


@eqx.filter_jit
def ratio_of_all(illumination: Illumination, images: Array) -> Array:
    """Return the log ratios of images without gain and shadows."""
    return jax.vmap(illumination)(images.astype(jnp.float32))
