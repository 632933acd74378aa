"""The VAE: images per second of the fit and of encoding."""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache

import equinox as eqx
import jax
import numpy as np

from benchmarks.measure import speed_row, timing
from benchmarks.part import Part, Row, Size, Table
from benchmarks.update import TASK
from rig.config import VAEConfig
from rig.envs.tabletop import Tabletop
from rig.envs.tasks import find_task
from rig.presets import find_preset
from rig.representation.fit import fine_tune
from rig.representation.vae import VAE, make_vae, to_float


NUM_BASIS_IMAGES = 512
"""Images for the principal components, and the largest number encoded in one call."""
NUM_FIT_IMAGES = 64
"""Images that a round of the fit draws from; few, because it first projects all of them."""
NUM_ENVS = 16
"""Images encoded in one call during training."""


def run(size: Size) -> Part:
    """Measure the fit and the encoding of every architecture."""
    fits, encodings = [], []
    for preset, config, pixels in cases(size):
        about = {"preset": preset, "architecture": config.architecture, "pixels": pixels}
        vae = vae_of_push(config, pixels)
        fits.append(about | {"batch": config.batch_size} | fit_row(vae, config, pixels, size))
        encodings += [about | row for row in encoding_rows(vae, pixels, size)]
    return Part(
        tables=[
            Table(title="Fitting the VAE", rows=fits),
            Table(title="Encoding", rows=encodings),
        ]
    )


def cases(size: Size) -> Iterator[tuple[str, VAEConfig, int]]:
    """Yield every preset's architecture at every image size."""
    for preset in size.presets:
        for pixels in size.pixels:
            yield preset, find_preset(preset, TASK).vae, pixels


@cache
def images_of_push(pixels: int) -> np.ndarray:
    """Render images of random states."""
    task = find_task(TASK)
    with closing(Tabletop(task, NUM_ENVS, pixels)) as tabletop:
        states = task.sample_goals(NUM_BASIS_IMAGES, rng=np.random.default_rng(0))
        return tabletop.goal_images(states)


def vae_of_push(config: VAEConfig, pixels: int) -> VAE:
    """Return an untrained VAE."""
    images, rng = images_of_push(pixels), np.random.default_rng(0)
    return make_vae(config, images, key=jax.random.key(0), rng=rng)


def fit_call(vae: VAE, config: VAEConfig, pixels: int, num_steps: int) -> Callable[[], object]:
    """Return a call that makes that number of steps of the fit, with drawing batches."""
    images, rng = images_of_push(pixels)[:NUM_FIT_IMAGES], np.random.default_rng(0)
    return lambda: fine_tune(vae, images, config, num_steps, rng=rng)


def fit_row(vae: VAE, config: VAEConfig, pixels: int, size: Size) -> Row:
    """Measure the time of the fit for each image."""
    call = fit_call(vae, config, pixels, size.num_fit_steps)
    num = size.num_fit_steps * config.batch_size
    return speed_row(timing(call, size.num_long_rounds), num, "images")


def encoding_rows(vae: VAE, pixels: int, size: Size) -> list[Row]:
    """Measure encoding one image, one for each environment, and many."""
    rows = []
    for num in (1, NUM_ENVS, NUM_BASIS_IMAGES):
        images = images_of_push(pixels)[:num]
        spent = timing(lambda images=images: np.asarray(encode(vae, images)), size.num_rounds)
        rows.append({"images in a call": num} | speed_row(spent, num, "images"))
    return rows


@eqx.filter_jit
def encode(vae: VAE, images: jax.Array) -> jax.Array:
    """Return the latent of each image."""
    return jax.vmap(vae.encode)(to_float(images)).mean
