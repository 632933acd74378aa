"""Fitting the VAE, from coarse to fine.

The loss, in the one convention of this project, is the reconstruction term summed over pixels
and averaged over images, plus beta times the KL in nats. Source: Nair et al. 2018, section 4.1.

Coarse to fine: the target is the image under a Gaussian blur that shrinks as the fit goes on,
its loss rescaled so that every level weighs the same. A wide blob's place has a gradient
everywhere, so the latents are laid out straight before details sharpen them.
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
from jaxtyping import Array, Float, Float16, PRNGKeyArray, UInt8

from rig.config import VAEConfig
from rig.errors import DivergedError, NotEnoughDataError
from rig.nn.chunks import in_chunks
from rig.representation.blur import blur, blur_matrix, blur_stages
from rig.representation.output_basis import Numbers, OutputBasis
from rig.representation.vae import VAE, to_float


STEPS_PER_DISPATCH = 50
"""Steps of the fit in one compiled call."""
MIN_RMS = 1e-5
"""Keeps scales and weights finite where images do not differ."""

FitMetrics = dict[str, float]
OnProgress = Callable[[int, FitMetrics], None]
Images = UInt8[np.ndarray, "N H W 3"]
Halves = Float16[np.ndarray, "N *canvas"]
"""Many images on the canvas, at half precision: as much as a camera's 8 bits need."""
Networks = tuple[Any, Any]
"""Encoder and decoder: what a fit changes of a VAE."""
Fitted = tuple[Networks, optax.OptState]


def ignore(_step: int, _metrics: FitMetrics) -> None:
    """Reports progress to nobody."""


def fit(
    vae: VAE,
    images: Images,
    config: VAEConfig,
    *,
    rng: np.random.Generator,
    on_progress: OnProgress = ignore,
) -> VAE:
    """The VAE after its first fit, from coarse to fine.

    Raises:
        NotEnoughDataError: There is no image.
        DivergedError: The loss is not finite.
    """
    stages = blur_stages(config.num_fit_steps, config.blur_sigmas_px)
    if vae.likelihood == "gaussian":
        difference = project_images(vae, images) - np.asarray(vae.base)
        vae = replace(vae, scale=jnp.asarray(max(rms(difference), MIN_RMS), jnp.float32))
    return _fit_stages(vae, images, config, stages, rng=rng, on_progress=on_progress)


def fine_tune(
    vae: VAE, images: Images, config: VAEConfig, num_steps: int, *, rng: np.random.Generator
) -> VAE:
    """The VAE after some more steps, on sharp targets."""
    stages = [(0.0, num_steps)]
    return _fit_stages(vae, images, config, stages, rng=rng, on_progress=ignore)


def _fit_stages(
    vae: VAE,
    images: Images,
    config: VAEConfig,
    stages: list[tuple[float, int]],
    *,
    rng: np.random.Generator,
    on_progress: OnProgress,
) -> VAE:
    """The VAE after each stage in turn: so many steps on targets of so much blur."""
    opt_state = optax.adam(config.learning_rate).init((vae.encoder, vae.decoder))
    sharp, num_done = project_images(vae, images), 0
    for sigma_px, num_steps in stages:
        targets, weight = blurred_targets(vae, sharp, sigma_px, images.shape[1])
        for num in dispatches(num_steps):
            rows = rng.integers(len(images), size=(num, config.batch_size))
            key = jax.random.key(rng.integers(2**32))
            data = (jnp.asarray(images[rows]), jnp.asarray(targets[rows]))
            vae, opt_state, metrics = _fit_steps(vae, opt_state, data, weight, config, key=key)
            num_done += num
            on_progress(num_done, finite(metrics, num_done))
    return vae


def dispatches(num_steps: int) -> list[int]:
    """The steps of each compiled call: all alike but the last."""
    starts = range(0, num_steps, STEPS_PER_DISPATCH)
    return [min(STEPS_PER_DISPATCH, num_steps - start) for start in starts]


def project_images(vae: VAE, images: Images) -> Halves:
    """The images as what the decoder is to paint.

    Raises:
        NotEnoughDataError: There is no image.
    """
    if len(images) == 0:
        raise NotEnoughDataError("no image to fit the VAE to: raise --collect.num-images")
    return in_chunks(partial(_put_all, vae.output_basis), images)


def blurred_targets(
    vae: VAE, sharp: Halves, sigma_px: float, image_size: int
) -> tuple[Halves, Float[Array, ""]]:
    """The targets of a stage, and the weight that brings their error to that of sharp ones."""
    if sigma_px == 0:
        return sharp, jnp.ones(())
    matrix = blur_matrix(sigma_px, image_size)
    blurred = in_chunks(partial(_blur_all, vae.output_basis, vae.base, matrix), sharp)
    base = np.asarray(vae.base)
    weight = (rms(sharp - base) / max(rms(blurred - base), MIN_RMS)) ** 2
    return blurred, jnp.asarray(weight, jnp.float32)


def rms(numbers: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(numbers, dtype=np.float32), dtype=np.float64)))


def finite(metrics: dict[str, Array], step: int) -> FitMetrics:
    """The metrics as numbers.

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
def _put_all(output_basis: OutputBasis, images: UInt8[Array, "N H W 3"]) -> Array:
    """Images with values in [0, 1], on the canvas."""
    return jax.vmap(output_basis.put)(to_float(images)).astype(jnp.float16)


@eqx.filter_jit
def _blur_all(
    output_basis: OutputBasis, base: Numbers, matrix: Float[Array, "size size"], numbers: Array
) -> Array:
    """Images on the canvas, their difference from the base blurred."""

    def blurred(one: Numbers) -> Numbers:
        return base + output_basis.put(blur(output_basis.show(one - base), matrix))

    return jax.vmap(blurred)(numbers.astype(jnp.float32)).astype(jnp.float16)


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
    """Several steps of Adam in one compiled loop; metrics are their means.

    Args:
        vae: What is fitted.
        opt_state: Adam's memory.
        data: Images ``[S, B, H, W, 3]`` and what is to be painted ``[S, B, *canvas]``.
        weight: Of the reconstruction term.
        config: Static: another config is another program.
        key: Decides the samples of the posteriors.
    """
    optimizer = optax.adam(config.learning_rate)

    def loss(networks: Networks, *inputs: Array) -> tuple[Array, dict[str, Array]]:
        encoder, decoder = networks
        whole = replace(vae, encoder=encoder, decoder=decoder)
        images, targets, key = inputs
        targets = targets.astype(jnp.float32)
        return vae_loss(whole, to_float(images), targets, weight, config.beta, key=key)

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


def vae_loss(
    vae: VAE,
    images: Float[Array, "B H W 3"],
    targets: Float[Array, "B *canvas"],
    weight: Float[Array, ""],
    beta: float,
    *,
    key: PRNGKeyArray,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The weighted reconstruction term plus beta times the KL, and metrics."""
    keys = jax.random.split(key, len(images))
    posterior = jax.vmap(vae.encode)(images)
    latent = jax.vmap(lambda one, key: one.sample(key=key))(posterior, keys)
    error = pixel_error(targets, jax.vmap(vae.decode_logits)(latent), vae.likelihood)
    error_nats = weight * error.sum() / len(images)
    kl_nats = posterior.kl_to_standard_normal().sum() / len(images)
    loss = error_nats + beta * kl_nats
    return loss, {"vae/loss_nats": loss, "vae/error_nats": error_nats, "vae/kl_nats": kl_nats}


def pixel_error(
    target: Float[Array, "*B"], painted: Float[Array, "*B"], likelihood: str
) -> Float[Array, "*B"]:
    """Squared error, or cross-entropy with logits [nats, up to a constant]."""
    if likelihood == "gaussian":
        return (target - painted) ** 2
    return jax.nn.softplus(painted) - target * painted
