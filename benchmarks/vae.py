"""The VAE: images per second of the fit and of encoding."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import cache, partial
from itertools import pairwise
from time import perf_counter, process_time

import jax
import numpy as np

from benchmarks.measure import Spent, Timing, speed_row, summary, timing
from benchmarks.part import Part, Row, Size, Table
from rig.config import PRESETS, VAEConfig
from rig.latent.fit import STEPS_PER_DISPATCH, fit
from rig.latent.prior import GaussianPrior
from rig.latent.space import LatentSpace
from rig.latent.vae import VAE, new_vae
from rig.world.tabletop import Tabletop
from rig.world.tasks import PUSH


NUM_IMAGES = 512
"""Images of Push that the fit draws from, and that are encoded in one call."""
NUM_WORLDS = 16
"""Images encoded in one call while practising."""


def run(size: Size) -> Part:
    """Measures fit and encoding of every architecture."""
    fits, encodings = [], []
    for preset, config, pixels in cases(size):
        about = {"preset": preset, "architecture": config.architecture, "pixels": pixels}
        vae, spent = timed_fit(config, pixels, size.num_dispatches)
        num = STEPS_PER_DISPATCH * config.batch_size
        fits.append(about | {"batch": config.batch_size} | speed_row(spent, num, "images"))
        encodings += [about | row for row in encoding_rows(vae, config, pixels, size)]
    return Part(
        tables=[
            Table(
                title="Fitting the VAE",
                rows=fits,
                notes=[f"Rounds are calls of {STEPS_PER_DISPATCH} steps, their batches drawn."],
            ),
            Table(title="Encoding", rows=encodings),
        ]
    )


def cases(size: Size) -> Iterator[tuple[str, VAEConfig, int]]:
    """Every preset's architecture at every image size."""
    for preset in size.presets:
        for pixels in size.pixels:
            yield preset, PRESETS[preset].vae, pixels


@cache
def images_of_push(pixels: int) -> np.ndarray:
    """Pictures of random states."""
    with closing(Tabletop(PUSH, NUM_WORLDS, pixels)) as tabletop:
        states = PUSH.sample_goals(NUM_IMAGES, rng=np.random.default_rng(0))
        return tabletop.goal_images(states)


def timed_fit(config: VAEConfig, pixels: int, num_dispatches: int) -> tuple[VAE, Timing]:
    """A fitted VAE, and the time of a call of the fit; the first one, which compiles, is out."""
    rng, images = np.random.default_rng(0), images_of_push(pixels)
    num_steps = STEPS_PER_DISPATCH * (num_dispatches + 1)
    config = replace(config, num_fit_steps=num_steps, blur_sigmas_px=())
    marks: list[tuple[float, float]] = []

    def mark(_step: int, _metrics: dict[str, float]) -> None:
        marks.append((perf_counter(), process_time()))

    vae = new_vae(config, images, key=jax.random.key(0), rng=rng)
    vae = fit(vae, images, config, rng=rng, on_progress=mark)
    rounds = [
        Spent(wall_s=after[0] - before[0], core_s=after[1] - before[1])
        for before, after in pairwise(marks)
    ]
    return vae, summary(rounds)


def encoding_rows(vae: VAE, config: VAEConfig, pixels: int, size: Size) -> list[Row]:
    """The cost of an image alone, of one per world, and of many."""
    mean = np.zeros(config.latent_size, np.float32)
    prior = GaussianPrior(mean=mean, factor=np.diag(mean + 1))
    space = LatentSpace(vae, prior)
    images = images_of_push(pixels)
    rows = []
    for num in (1, NUM_WORLDS, NUM_IMAGES):
        spent = timing(partial(space.encode, images[:num]), size.num_rounds)
        rows.append({"images in a call": num} | speed_row(spent, num, "images"))
    return rows
