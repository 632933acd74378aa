"""Fitting the VAE: group after group, from coarse to fine.

The loss, in the one convention of this project, is the reconstruction term summed over pixels
and averaged over images, plus beta times the KL in nats. Source: Nair et al. 2018, section 4.1.

A group is shown what the groups before it left unexplained and learns to paint that, so each
group's fit is that of one small VAE, and what is left is worked out once, before it begins.

Coarse to fine: the target is what is left under a Gaussian blur that shrinks as the fit goes
on, its loss rescaled so that every level weighs the same. A wide blob's place has a gradient
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
from jaxtyping import Array, Float, Float16, Int, PRNGKeyArray, UInt8

from rig.config import VAEConfig
from rig.errors import DivergedError, NotEnoughDataError
from rig.latent.blur import blur, blur_matrix, blur_stages
from rig.latent.canvas import Canvas, Numbers
from rig.latent.chunks import in_chunks
from rig.latent.vae import VAE, Group, to_float


STEPS_PER_DISPATCH = 50
"""Steps of the fit in one compiled call."""

FitMetrics = dict[str, float]
Fitted = tuple[Group, optax.OptState]
OnProgress = Callable[[int, FitMetrics], None]
Images = UInt8[np.ndarray, "N H W 3"]
Halves = Float16[np.ndarray, "N *canvas"]
"""Many images on the canvas, at half precision: as much as a camera's 8 bits need."""


class Lesson(eqx.Module):
    """What one stage of a group's fit learns from."""

    shown: Array | Halves
    """What the encoder sees of each image, on the canvas, at half precision."""
    target: Array | Halves
    """What the decoder is to paint, likewise."""
    offset: Numbers
    """What is there before the group paints."""
    weight: float | Array
    """Brings the error of a blurred target to that of a sharp one."""
    likelihood: str = eqx.field(static=True)

    def rows(self, rows: Int[np.ndarray, "S B"]) -> "Lesson":
        """The lesson of some images only."""
        return Lesson(
            self.shown[rows],
            self.target[rows],
            self.offset,
            jnp.asarray(self.weight),
            self.likelihood,
        )


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
    """The VAE after its first fit: each group in turn, from coarse to fine.

    Raises:
        NotEnoughDataError: There is no image.
        DivergedError: The loss is not finite.
    """
    stages = blur_stages(config.num_fit_steps, config.blur_sigmas_px)
    return _fit_in_turn(vae, images, config, stages, rng=rng, on_progress=on_progress)


def fine_tune(
    vae: VAE, images: Images, config: VAEConfig, num_steps: int, *, rng: np.random.Generator
) -> VAE:
    """The VAE after some more steps for each group in turn, on sharp targets."""
    return _fit_in_turn(vae, images, config, [(0.0, num_steps)], rng=rng, on_progress=ignore)


def _fit_in_turn(
    vae: VAE,
    images: Images,
    config: VAEConfig,
    stages: list[tuple[float, int]],
    *,
    rng: np.random.Generator,
    on_progress: OnProgress,
) -> VAE:
    """The VAE after the same stages for each group."""
    if len(images) == 0:
        raise NotEnoughDataError("no image to fit the VAE to: raise --collect.num-images")
    num_done = 0
    for index in range(len(vae.groups)):
        left = in_chunks(partial(_what_is_left, vae, index), images)
        scale = jnp.asarray(max(rms(left), MIN_RMS), jnp.float32)
        group = replace(vae.groups[index], scale=scale)
        opt_state = optax.adam(config.learning_rate).init(eqx.filter(group, eqx.is_array))
        for sigma_px, num_steps in stages:
            lesson = make_lesson(vae, images, left, sigma_px)
            for start in range(0, num_steps, STEPS_PER_DISPATCH):
                num = min(STEPS_PER_DISPATCH, num_steps - start)
                rows = rng.integers(len(images), size=(num, config.batch_size))
                key = jax.random.key(rng.integers(2**32))
                group, opt_state, metrics = _fit_steps(
                    group, opt_state, lesson.rows(rows), config, key=key
                )
                num_done += num
                on_progress(num_done, finite(metrics, num_done))
        groups = (*vae.groups[:index], group, *vae.groups[index + 1 :])
        vae = replace(vae, groups=groups)
    return vae


def make_lesson(vae: VAE, images: Images, left: Halves, sigma_px: float) -> Lesson:
    """What a stage with this blur learns from."""
    if vae.likelihood == "bernoulli":
        target = in_chunks(partial(_put_all, vae.canvas), images)
        return Lesson(left, target, vae.base, 1.0, vae.likelihood)
    nothing = jnp.zeros_like(vae.base)
    if sigma_px == 0:
        return Lesson(left, left, nothing, 1.0, vae.likelihood)
    matrix = blur_matrix(sigma_px, images.shape[1])
    blurred = in_chunks(partial(_blur_all, vae.canvas, matrix), left)
    weight = (rms(left) / max(rms(blurred), MIN_RMS)) ** 2
    return Lesson(left, blurred, nothing, weight, vae.likelihood)


def rms(numbers: Halves) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(numbers, dtype=np.float32), dtype=np.float64)))


MIN_RMS = 1e-5
"""Keeps scales and weights finite where nothing is left to explain."""


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
def _what_is_left(vae: VAE, index: int, images: UInt8[Array, "N H W 3"]) -> Array:
    """What the groups before this one leave unexplained of each image."""

    def left(image: Float[Array, "H W 3"]) -> Numbers:
        return vae.unexplained(image, index).astype(jnp.float16)

    return jax.vmap(left)(to_float(images))


@eqx.filter_jit
def _put_all(canvas: Canvas, images: UInt8[Array, "N H W 3"]) -> Array:
    """Images with values in [0, 1], on the canvas."""
    return jax.vmap(canvas.put)(to_float(images)).astype(jnp.float16)


@eqx.filter_jit
def _blur_all(canvas: Canvas, matrix: Float[Array, "size size"], numbers: Array) -> Array:
    """Images on the canvas, blurred."""

    def blurred(one: Numbers) -> Numbers:
        return canvas.put(blur(canvas.show(one), matrix))

    return jax.vmap(blurred)(numbers.astype(jnp.float32)).astype(jnp.float16)


@eqx.filter_jit
def _fit_steps(
    group: Group,
    opt_state: optax.OptState,
    lessons: Lesson,
    config: VAEConfig,
    *,
    key: PRNGKeyArray,
) -> tuple[Group, optax.OptState, dict[str, Array]]:
    """Several steps of Adam in one compiled loop; metrics are their means.

    Args:
        group: What is fitted.
        opt_state: Adam's memory.
        lessons: What is shown and to be painted ``[S, B, ...]``.
        config: Static: another config is another program.
        key: Decides the samples of the posteriors.
    """
    optimizer = optax.adam(config.learning_rate)

    def step(carry: Fitted, inputs: tuple[Any, Any, Any]) -> tuple[Fitted, FitMetrics]:
        group, opt_state = carry
        shown, target, key = inputs
        lesson = replace(lessons, shown=shown, target=target)
        (_, metrics), gradient = jax.value_and_grad(group_loss, has_aux=True)(
            group, lesson, config.beta, key=key
        )
        updates, opt_state = optimizer.update(gradient, opt_state)
        return (eqx.apply_updates(group, updates), opt_state), metrics

    keys = jax.random.split(key, len(lessons.shown))
    (group, opt_state), metrics = jax.lax.scan(
        step, (group, opt_state), (lessons.shown, lessons.target, keys)
    )
    return group, opt_state, jax.tree.map(jnp.mean, metrics)


def group_loss(
    group: Group, lesson: Lesson, beta: float, *, key: PRNGKeyArray
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The weighted reconstruction term plus beta times the KL, and metrics."""
    keys = jax.random.split(key, len(lesson.shown))
    painted, kl = jax.vmap(partial(paint_sampled, group))(
        jnp.asarray(lesson.shown, jnp.float32), keys
    )
    target = jnp.asarray(lesson.target, jnp.float32)
    error = pixel_error(target, lesson.offset + painted, lesson.likelihood)
    error_nats = lesson.weight * error.sum() / len(target)
    kl_nats = kl.sum(axis=1).mean()
    loss = error_nats + beta * kl_nats
    return loss, {"vae/loss_nats": loss, "vae/error_nats": error_nats, "vae/kl_nats": kl_nats}


def paint_sampled(
    group: Group, shown: Numbers, key: PRNGKeyArray
) -> tuple[Numbers, Float[Array, " latent"]]:
    """What a group paints for a sample of its posterior, and the posterior's KL."""
    posterior = group.encode(shown)
    painted = group.decode(posterior.sample(key=key))
    return painted, posterior.kl_to_standard_normal()


def pixel_error(
    target: Float[Array, "*B"], painted: Float[Array, "*B"], likelihood: str
) -> Float[Array, "*B"]:
    """Squared error, or cross-entropy with logits [nats, up to a constant]."""
    if likelihood == "gaussian":
        return (target - painted) ** 2
    return jax.nn.softplus(painted) - target * painted
