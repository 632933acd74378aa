"""Fit quantile keypoints to images: background, noise, colors and directions.

Nothing here is trained by gradients, and no true state is used.
"""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, UInt8

from rig.nn.chunks import in_chunks
from rig.representation.color_clusters import cluster
from rig.representation.compression import are_compressed, compress
from rig.representation.illumination import DARK, planes_of
from rig.representation.illumination_fit import fit_illumination
from rig.representation.quantile_keypoints import (
    MIN_PIXELS,
    NUM_COLORS,
    MovingColors,
    QuantileKeypointEncoder,
    blank_encoder,
)
from rig.representation.relight import relight
from rig.representation.signal_directions import find_directions
from rig.representation.time_noise import time_noise


NUM_BACKGROUND = 600
"""Images that the background is computed from."""
NUM_COLOR_IMAGES = 800
"""Images whose moved pixels the colors are clustered from."""
NUM_FEATURE_IMAGES = 3000
"""Images that the signal is computed from."""
NUM_NOISE_IMAGES = 1000
"""Scenes that the noise is computed from."""
MIN_MOVED = 0.05
"""A pixel that moved less shows the background when a scene is relit."""

Images = UInt8[np.ndarray, "N H W 3"]


def fit_keypoints(
    images: Images, latent_dim: int, *, rng: np.random.Generator
) -> QuantileKeypointEncoder:
    """Fit the encoder to images.

    Images that follow each other in time are noticed, and give better latents.
    """
    blank = blank_encoder(images.shape[1], latent_dim)
    colors = fit_colors(images, blank.colors, rng=rng)
    in_order = features_of(colors, images)
    features = sample(in_order, NUM_FEATURE_IMAGES, rng=rng)
    noise = noise_covariance(colors, sample(images, NUM_NOISE_IMAGES, rng=rng), rng=rng)
    noise = noise + time_noise(in_order)
    found = find_directions(features, noise, latent_dim)
    new = (colors, *(jnp.asarray(part, jnp.float32) for part in found))
    return eqx.tree_at(lambda e: (e.colors, e.mean, e.matrix), blank, new)


def sample(images: np.ndarray, num: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return at most ``num`` of the rows, drawn without replacement, in their order."""
    return images[np.sort(rng.permutation(len(images))[:num])]


def features_of(colors: MovingColors, images: Images) -> Float32[np.ndarray, "N features"]:
    """Return the place and the shape of each color in each image."""
    shape, _ = in_chunks(partial(locate_all, colors), images)
    return shape.reshape(len(images), -1)


def fit_colors(
    images: Images, blank: MovingColors, *, rng: np.random.Generator
) -> MovingColors:
    """Fit the illumination, the colors of what moves, and where they usually are."""
    some = sample(images, NUM_BACKGROUND, rng=rng)
    illumination = fit_illumination(some, images, blank.illumination)
    found = eqx.tree_at(lambda c: c.illumination, blank, illumination)
    some = sample(images, NUM_COLOR_IMAGES, rng=rng)
    pixels, moved = in_chunks(partial(motion_of_all, found), some)
    means = cluster(pixels.reshape(-1, 3), moved.reshape(-1), NUM_COLORS, rng=rng)
    found = eqx.tree_at(lambda c: c.colors, found, jnp.asarray(means))
    shape, num_pixels = in_chunks(partial(locate_all, found), some)
    is_visible = (num_pixels / (num_pixels + MIN_PIXELS))[..., None]
    # ``usual`` is still 0, so a shape is already multiplied by how visible it is.
    usual = shape.sum(axis=0) / (is_visible.sum(axis=0) + 1e-9)
    return eqx.tree_at(lambda c: c.usual, found, jnp.asarray(usual))


def noise_covariance(
    colors: MovingColors, images: Images, *, rng: np.random.Generator
) -> Float[np.ndarray, "features features"]:
    """Return the covariance of what other light and other noise do to the features.

    And compression, if the images were compressed.
    """
    moved, light = take_apart(colors, images)
    are_jpeg = are_compressed(in_chunks(partial(deviations_of_all, colors), images))

    def seen_again() -> Float32[np.ndarray, "N features"]:
        again = relit(colors, moved, light, rng=rng)
        return features_of(colors, compress(again, rng=rng) if are_jpeg else again)

    one, other = seen_again(), seen_again()
    return np.cov((one - other).T.astype(np.float64)) / 2


def take_apart(
    colors: MovingColors, images: Images
) -> tuple[Float32[np.ndarray, "N H W 3"], Float32[np.ndarray, "N H W 3"]]:
    """Return of each image what moved, 0 where nothing did, and the light [log ratios]."""
    ratio, moved, light = in_chunks(partial(split_all, colors), images)
    return ratio * (moved > MIN_MOVED)[..., None], light


def relit(
    colors: MovingColors,
    moved: Float32[np.ndarray, "N H W 3"],
    light: Float32[np.ndarray, "N H W 3"],
    *,
    rng: np.random.Generator,
) -> Images:
    """Return what moved before the background, under other light and with other noise."""
    scene = np.asarray(colors.illumination.background) + moved
    return relight(scene, light, float(colors.illumination.noise), rng=rng)


@eqx.filter_jit
def motion_of_all(colors: MovingColors, images: Array) -> tuple[Array, Array]:
    """Return the pixels of images under the background's light, and which moved."""

    def move(image: Array) -> tuple[Array, Array]:
        ratio, moved, _ = colors.motion(image)
        return jnp.moveaxis(colors.pixels(ratio), 0, -1), moved

    return jax.vmap(move)(images.astype(jnp.float32) / 255)


@eqx.filter_jit
def locate_all(colors: MovingColors, images: Array) -> tuple[Array, Array]:
    """Return the place and shape of each color in each image, and its number of pixels."""
    return jax.vmap(colors)(images.astype(jnp.float32) / 255)


@eqx.filter_jit
def deviations_of_all(colors: MovingColors, images: Array) -> Array:
    """Return how far each pixel is from the background, in squared standard deviations."""
    light = colors.illumination

    def deviate(image: Array) -> Array:
        return light.z_squared(light.of_planes(planes_of(image)))

    return jax.vmap(deviate)(images.astype(jnp.float32))


@eqx.filter_jit
def split_all(colors: MovingColors, images: Array) -> tuple[Array, Array, Array]:
    """Return of each image what moved [log ratio], how surely, and the light [log ratio]."""

    def split(image: Array) -> tuple[Array, Array, Array]:
        total = jnp.log(image + DARK) - colors.illumination.background
        relit = colors.illumination.relit(planes_of(image))
        ratio, moved, _ = colors.motion(image / 255)
        return jnp.moveaxis(ratio, 0, -1), moved, total - jnp.moveaxis(relit, 0, -1)

    return jax.vmap(split)(images.astype(jnp.float32))
