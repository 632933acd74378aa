"""Fit a VAE to images, and the whitening of its latents."""

from functools import partial

import jax
import numpy as np
from jaxtyping import Int, UInt8

from rig.config import Config
from rig.nn.chunks import in_chunks
from rig.representation.compiled import encode
from rig.representation.fit import fit
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.representation import FitMonitor, Images
from rig.representation.vae import VAE, make_vae
from rig.representation.whiten import (
    Whitening,
    fit_whitening,
    no_whitening,
    rescale_by_steps,
)
from rig.types import Collected


MAX_PRIOR_IMAGES = 10_000
"""Images whose latents make the prior; more would change it little."""


def fit_vae(
    config: Config,
    images: Images,
    collected: Collected,
    monitor: FitMonitor,
    *,
    rng: np.random.Generator,
) -> tuple[VAE, Whitening, Int[np.ndarray, " some"]]:
    """Return a VAE fitted to images, its whitening, and the rows to make the prior from."""
    on_progress = monitor.begin_fit()
    vae = make_vae(config.vae, images, key=jax.random.key(rng.integers(2**32)), rng=rng)
    vae = fit(vae, images, config.vae, rng=rng, on_progress=on_progress)
    rows = some_of(np.arange(len(images)), rng=rng)
    whitening = whiten(vae, images[rows], config.vae.whiten_floor)
    if config.reward.metric == "steps":
        whitening = weigh_by_steps(vae, whitening, images, collected.rows_with_action)
    return vae, whitening, rows


def some_of(rows: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return as many rows as a prior is made from, drawn without replacement."""
    return rows[rng.permutation(len(rows))[:MAX_PRIOR_IMAGES]]


def whiten(vae: VAE, images: UInt8[np.ndarray, "N H W 3"], floor: float) -> Whitening:
    """Return the whitening of a VAE's latents of some images.

    Quantile keypoints are left as they are: their scales say what each counts for.
    """
    if isinstance(vae.encoder, QuantileKeypointEncoder):
        return no_whitening(vae.latent_dim)
    seen, _ = in_chunks(partial(encode, vae, no_whitening(vae.latent_dim)), images)
    return fit_whitening(seen, floor)


def weigh_by_steps(
    vae: VAE,
    whitening: Whitening,
    images: UInt8[np.ndarray, "N H W 3"],
    rows_with_action: Int[np.ndarray, " pairs"],
) -> Whitening:
    """Return the whitening in which distance counts steps, given rows that have a next one."""
    seen, _ = in_chunks(partial(encode, vae, no_whitening(vae.latent_dim)), images)
    return rescale_by_steps(whitening, seen[rows_with_action], seen[rows_with_action + 1])
