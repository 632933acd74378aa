"""Fit the VAE, from coarse to fine.

The loss is the reconstruction error summed over pixels and averaged over images, plus beta
times the KL divergence in nats. Source: Nair et al. 2018, section 4.1.

Coarse to fine: targets are blurred less and less, and the loss is rescaled so that every blur
weighs the same. The position of a wide blob has a gradient everywhere, so positions are learned
before details.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from rig.config import VAEConfig
from rig.errors import DivergedError, NotEnoughDataError
from rig.nn.chunks import CHUNK, in_chunks
from rig.representation.blur import blur, blur_matrix, blur_stages
from rig.representation.fixed_means import FixedMeans, fixed_means
from rig.representation.output_basis import Coefficients, HalfCoefficients, OutputBasis, to_half
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.vae import VAE, to_float
from rig.representation.vae_loss import vae_loss


STEPS_PER_DISPATCH = 50
"""Steps of the fit in one compiled call."""
MIN_RMS = 1e-5
"""Keeps scales and weights finite where all images are the same."""

FitMetrics = dict[str, float]
OnProgress = Callable[[int, FitMetrics], None]
Images = UInt8[np.ndarray, "N H W 3"]
Networks = tuple[Any, Any]
"""Encoder and decoder."""
Fitted = tuple[Networks, optax.OptState]


def ignore_progress(_step: int, _metrics: FitMetrics) -> None:
    """Do nothing with the progress of a fit."""


def fit(
    vae: VAE,
    images: Images,
    config: VAEConfig,
    *,
    rng: np.random.Generator,
    on_progress: OnProgress = ignore_progress,
) -> VAE:
    """Fit a new VAE from coarse to fine and return it.

    Args:
        vae: The VAE, with new networks.
        images: The images to fit it to.
        config: The settings of the fit.
        rng: Draws the batches and the samples of the posteriors.
        on_progress: Called with the step and the mean metrics of each compiled call.

    Raises:
        NotEnoughDataError: There is no image.
        DivergedError: The loss is not finite.
    """
    stages = blur_stages(config.num_fit_steps, config.blur_sigmas_px)
    if vae.likelihood == "gaussian":
        size = rms_about(np.asarray(vae.mean_logits), project_images(vae, images))
        vae = replace(vae, scale=jnp.asarray(max(size, MIN_RMS), jnp.float32))
    return _fit_stages(vae, images, config, stages, rng=rng, on_progress=on_progress)


def fine_tune(
    vae: VAE, images: Images, config: VAEConfig, num_steps: int, *, rng: np.random.Generator
) -> VAE:
    """Fit the VAE for ``num_steps`` more steps on sharp targets and return it."""
    stages = [(0.0, num_steps)]
    return _fit_stages(vae, images, config, stages, rng=rng, on_progress=ignore_progress)


def _fit_stages(
    vae: VAE,
    images: Images,
    config: VAEConfig,
    stages: list[tuple[float, int]],
    *,
    rng: np.random.Generator,
    on_progress: OnProgress,
) -> VAE:
    """Fit the VAE in stages, each a blur [pixels] and a number of steps."""
    sharp, num_done = project_images(vae, images), 0
    encoder, inputs = vae.encoder, images
    if isinstance(encoder, QuantileKeypointEncoder):
        # Its means are fixed, so they are computed once and not at each step.
        inputs = in_chunks(partial(fixed_means, encoder), images)
        vae = replace(vae, encoder=FixedMeans(encoder.log_std))
    opt_state = optax.adam(config.learning_rate).init((vae.encoder, vae.decoder))
    for sigma_px, num_steps in stages:
        targets, weight = blurred_targets(vae, sharp, sigma_px, images.shape[1])
        for num in steps_per_call(num_steps):
            rows = rng.integers(len(images), size=(num, config.batch_size))
            key = jax.random.key(rng.integers(2**32))
            data = (jnp.asarray(inputs[rows]), jnp.asarray(targets[rows].astype(np.float32)))
            vae, opt_state, metrics = _fit_steps(vae, opt_state, data, weight, config, key=key)
            num_done += num
            on_progress(num_done, finite_metrics(metrics, num_done))
    if isinstance(vae.encoder, FixedMeans):
        fitted = eqx.tree_at(lambda e: e.log_std, encoder, vae.encoder.log_std)
        vae = replace(vae, encoder=fitted)
    return vae


def steps_per_call(num_steps: int) -> list[int]:
    """Split ``num_steps`` into compiled calls of equal length; the last may be shorter."""
    full, rest = divmod(num_steps, STEPS_PER_DISPATCH)
    return [STEPS_PER_DISPATCH] * full + [rest] * (rest > 0)


def project_images(vae: VAE, images: Images) -> HalfCoefficients:
    """Project images on the output basis.

    Raises:
        NotEnoughDataError: There is no image.
    """
    if len(images) == 0:
        raise NotEnoughDataError("no image to fit the VAE to: raise --collect.num-images")
    return in_chunks(
        lambda rows: to_half(_project_all(vae.output_basis, jnp.asarray(rows))), images
    )


def blurred_targets(
    vae: VAE, sharp: HalfCoefficients, sigma_px: float, image_size: int
) -> tuple[HalfCoefficients, Float[Array, ""]]:
    """Return blurred targets, and the weight that scales their error to that of sharp ones."""
    if sigma_px == 0:
        return sharp, jnp.ones(())
    matrix = blur_matrix(sigma_px, image_size)
    blur_all = partial(_blur_all, vae.output_basis, vae.mean_logits, matrix)
    blurred = in_chunks(lambda rows: to_half(blur_all(jnp.asarray(rows, jnp.float32))), sharp)
    mean = np.asarray(vae.mean_logits)
    weight = (rms_about(mean, sharp) / max(rms_about(mean, blurred), MIN_RMS)) ** 2
    return blurred, jnp.asarray(weight, jnp.float32)


def rms_about(mean: Coefficients | np.ndarray, values: HalfCoefficients) -> float:
    """Return the root mean square of what values differ by from a mean."""
    # In parts: a whole difference at single precision would be the largest array of the fit.
    sums = [
        np.square(values[start : start + CHUNK] - mean, dtype=np.float32).sum(dtype=np.float64)
        for start in range(0, len(values), CHUNK)
    ]
    return float(np.sqrt(sum(sums) / values.size))


def finite_metrics(metrics: dict[str, Array], step: int) -> FitMetrics:
    """Return the metrics as floats.

    Raises:
        DivergedError: The loss is not finite.
    """
    numbers = {name: float(value) for name, value in metrics.items()}
    if not np.isfinite(numbers["vae/loss_nats"]):
        raise DivergedError(
            f"the VAE's loss is {numbers['vae/loss_nats']} at step {step} of its fit: "
            "lower --vae.learning-rate"
        )
    return numbers


@eqx.filter_jit
def _project_all(output_basis: OutputBasis, images: UInt8[Array, "N H W 3"]) -> Array:
    return jax.vmap(output_basis.project)(to_float(images))


@eqx.filter_jit
def _blur_all(
    output_basis: OutputBasis,
    mean: Coefficients,
    matrix: Float[Array, "size size"],
    coefficients: Array,
) -> Array:
    def blurred(one: Coefficients) -> Coefficients:
        difference = output_basis.reconstruct(one - mean)
        return mean + output_basis.project(blur(difference, matrix))

    return jax.vmap(blurred)(coefficients)


@eqx.filter_jit
def _fit_steps(
    vae: VAE,
    opt_state: optax.OptState,
    data: tuple[Array, Array],
    weight: Float[Array, ""],
    config: VAEConfig,
    *,
    key: PRNGKeyArray,
) -> tuple[VAE, optax.OptState, dict[str, Array]]:
    """Take several steps of Adam in one compiled loop; metrics are means over the steps.

    Args:
        vae: The VAE before the steps.
        opt_state: Adam's state.
        data: Images ``[S, B, H, W, 3]`` and their targets ``[S, B, *coefficients]``.
        weight: Weight of the reconstruction error.
        config: Settings; they are static, so another config compiles another program.
        key: Draws the samples of the posteriors.
    """
    optimizer = optax.adam(config.learning_rate)

    def loss(networks: Networks, *batch: Array) -> tuple[Array, dict[str, Array]]:
        current = replace(vae, encoder=networks[0], decoder=networks[1])
        images, targets, key = batch
        is_image = images.dtype == jnp.uint8
        inputs = to_float(images) if is_image else images
        return vae_loss(current, inputs, targets, weight, config.beta, key=key)

    def step(carry: Fitted, inputs: tuple[Array, ...]) -> tuple[Fitted, dict[str, Array]]:
        networks, opt_state = carry
        (_, metrics), gradient = jax.value_and_grad(loss, has_aux=True)(networks, *inputs)
        updates, opt_state = optimizer.update(gradient, opt_state)
        return (optax.apply_updates(networks, updates), opt_state), metrics

    keys = jax.random.split(key, len(data[0]))
    fitted, metrics = jax.lax.scan(step, ((vae.encoder, vae.decoder), opt_state), (*data, keys))
    (encoder, decoder), opt_state = fitted
    vae = replace(vae, encoder=encoder, decoder=decoder)
    return vae, opt_state, jax.tree.map(jnp.mean, metrics)
