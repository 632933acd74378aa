"""Fitting the VAE: group after group, from coarse to fine.

The loss, in the one convention of this project, is the reconstruction term summed over pixels
and averaged over images, plus beta times the KL in nats. Source: Nair et al. 2018, section 4.1.

Coarse to fine: the target is the image under a Gaussian blur that shrinks as the fit goes on,
its loss rescaled so that every level weighs the same. A wide blob's place has a gradient
everywhere, so the latents are laid out straight before details sharpen them.
"""

from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from rig.config import VAEConfig
from rig.errors import DivergedError, NotEnoughDataError
from rig.latent.vae import VAE, Posterior, to_float


STEPS_PER_DISPATCH = 50
"""Steps of the fit in one compiled call."""
BLURRED_SHARE = 0.75
"""Share of a group's fit that is spent on blurred targets."""
REFERENCE_SIZE = 48
"""Image size that ``blur_sigmas_px`` is written for."""

FitMetrics = dict[str, float]
OnProgress = Callable[[int, FitMetrics], None]


def new_vae(
    config: VAEConfig, images: UInt8[np.ndarray, "N H W 3"], *, key: PRNGKeyArray
) -> VAE:
    """A VAE that has learned nothing yet but the mean of the images."""
    mean_image = jnp.asarray(images.mean(axis=0, dtype=np.float64) / 255, dtype=jnp.float32)
    return VAE(config, mean_image, key=key)


def fit(
    vae: VAE,
    images: UInt8[np.ndarray, "N H W 3"],
    config: VAEConfig,
    *,
    rng: np.random.Generator,
    on_progress: OnProgress = lambda _step, _metrics: None,
) -> VAE:
    """The VAE after its first fit: each group in turn, those before it held still.

    Raises:
        NotEnoughDataError: There is no image.
        DivergedError: The loss is not finite.
    """
    if len(images) == 0:
        raise NotEnoughDataError("no image to fit the VAE to: raise --collect.num-images")
    for group in range(len(config.group_sizes)):
        done = group * config.num_fit_steps
        sigmas = blur_schedule(config.num_fit_steps, config.blur_sigmas_px, images.shape[1])
        trained = partial(on_progress_from, on_progress, done)
        vae = _fit_groups(vae, (group,), images, config, sigmas, rng=rng, on_progress=trained)
    return vae


def fine_tune(
    vae: VAE,
    images: UInt8[np.ndarray, "N H W 3"],
    config: VAEConfig,
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> VAE:
    """The VAE after some more steps on sharp images, all groups at once."""
    sigmas = np.zeros(num_steps, dtype=np.float32)
    every_group = tuple(range(len(config.group_sizes)))
    return _fit_groups(vae, every_group, images, config, sigmas, rng=rng)


def on_progress_from(on_progress: OnProgress, done: int, step: int, metrics: FitMetrics) -> None:
    """Reports progress of a group as progress of the whole fit."""
    on_progress(done + step, metrics)


def blur_schedule(
    num_steps: int, sigmas_px: tuple[float, ...], image_size: int
) -> Float[np.ndarray, " steps"]:
    """The blur of the target at each step, pixels of this image size; 0 is sharp."""
    schedule = np.zeros(num_steps, dtype=np.float32)
    num_blurred = int(BLURRED_SHARE * num_steps) if sigmas_px else 0
    scale = image_size / REFERENCE_SIZE
    for sigma, steps in zip(
        sigmas_px, np.array_split(np.arange(num_blurred), max(len(sigmas_px), 1)), strict=False
    ):
        schedule[steps] = sigma * scale
    return schedule


def blur_matrix(sigma_px: Float[Array, ""], size: int) -> Float[Array, "size size"]:
    """Gaussian blur along one axis as a matrix whose rows sum to 1; identity for sigma 0."""
    offset = jnp.arange(size)[:, None] - jnp.arange(size)[None, :]
    weight = jnp.exp(-0.5 * (offset / jnp.maximum(sigma_px, 1e-3)) ** 2)
    return weight / weight.sum(axis=1, keepdims=True)


def _fit_groups(
    vae: VAE,
    group_ids: tuple[int, ...],
    images: UInt8[np.ndarray, "N H W 3"],
    config: VAEConfig,
    sigmas_px: Float[np.ndarray, " steps"],
    *,
    rng: np.random.Generator,
    on_progress: OnProgress = lambda _step, _metrics: None,
) -> VAE:
    """The VAE after one pass of steps on some of its groups."""
    optimizer = optax.adam(config.learning_rate)
    trained, held = split_groups(vae, group_ids)
    opt_state = optimizer.init(trained)
    for start in range(0, len(sigmas_px), STEPS_PER_DISPATCH):
        sigmas = sigmas_px[start : start + STEPS_PER_DISPATCH]
        rows = rng.integers(len(images), size=(len(sigmas), config.batch_size))
        key = jax.random.key(rng.integers(2**32))
        trained, opt_state, metrics = _fit_steps(
            trained, opt_state, held, images[rows], sigmas, key, optimizer, config.beta
        )
        reported = {name: float(value) for name, value in metrics.items()}
        if not np.isfinite(reported["vae/loss_nats"]):
            raise DivergedError(
                f"the VAE's loss is {reported['vae/loss_nats']} at step {start}: "
                "lower --vae.learning-rate"
            )
        on_progress(start + len(sigmas), reported)
    return eqx.combine(trained, held)


def split_groups(vae: VAE, group_ids: tuple[int, ...]) -> tuple[VAE, VAE]:
    """The VAE as what is trained and what is held still; ``eqx.combine`` puts it together."""
    nothing = jax.tree.map(lambda _: False, vae)
    chosen = tuple(
        jax.tree.map(lambda leaf, here=index in group_ids: here and eqx.is_array(leaf), group)
        for index, group in enumerate(vae.groups)
    )
    return eqx.partition(vae, eqx.tree_at(lambda tree: tree.groups, nothing, chosen))


@eqx.filter_jit
def _fit_steps(
    trained: VAE,
    opt_state: optax.OptState,
    held: VAE,
    images: UInt8[Array, "S B H W 3"],
    sigmas_px: Float[Array, " S"],
    key: PRNGKeyArray,
    optimizer: optax.GradientTransformation,
    beta: float,
) -> tuple[VAE, optax.OptState, dict[str, Float[Array, ""]]]:
    """Several steps of Adam in one compiled loop; metrics are their means."""

    def step(carry: tuple, inputs: tuple) -> tuple:
        trained, opt_state = carry
        images, sigma_px, key = inputs
        (_, metrics), gradient = eqx.filter_value_and_grad(vae_loss, has_aux=True)(
            trained, held, to_float(images), sigma_px, beta, key=key
        )
        updates, opt_state = optimizer.update(gradient, opt_state)
        return (eqx.apply_updates(trained, updates), opt_state), metrics

    keys = jax.random.split(key, len(images))
    (trained, opt_state), metrics = jax.lax.scan(
        step, (trained, opt_state), (images, sigmas_px, keys)
    )
    return trained, opt_state, jax.tree.map(jnp.mean, metrics)


def vae_loss(
    trained: VAE,
    held: VAE,
    images: Float[Array, "B H W 3"],
    sigma_px: Float[Array, ""],
    beta: float,
    *,
    key: PRNGKeyArray,
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """The reconstruction term plus beta times the KL of the groups in training, and metrics."""
    vae: VAE = eqx.combine(trained, held)
    is_trained = [group.decoder.stem.weight is not None for group in trained.groups]
    keys = jax.random.split(key, len(images))
    painted, before, kl = jax.vmap(partial(_paint_sampled, vae, is_trained))(images, keys)
    blur = blur_matrix(sigma_px, images.shape[1])
    left = images - jax.vmap(vae.link)(before)
    blurred = jnp.einsum("ij,bjkc,lk->bilc", blur, left, blur)
    weight = jnp.var(left) / jnp.maximum(jnp.var(blurred), 1e-8)
    target = images - left + blurred
    error = pixel_error(target, painted, vae.likelihood).sum(axis=(1, 2, 3)).mean()
    kl_nats = kl.sum(axis=1).mean()
    loss = weight * error + beta * kl_nats
    return loss, {"vae/loss_nats": loss, "vae/error_nats": error, "vae/kl_nats": kl_nats}


def _paint_sampled(
    vae: VAE, is_trained: list[bool], image: Float[Array, "H W 3"], key: PRNGKeyArray
) -> tuple[Float[Array, "H W 3"], Float[Array, "H W 3"], Float[Array, " latent"]]:
    """What is painted with a sampled latent, what was painted before training's groups, the KL."""
    painted = before = vae.base
    kls = []
    for group, here in zip(vae.groups, is_trained, strict=True):
        key, sample_key = jax.random.split(key)
        posterior = Posterior(*group.encoder(image - vae.link(painted)))
        if here:
            painted = painted + group.decoder(posterior.sample(key=sample_key))
            kls.append(posterior.kl_to_standard_normal())
            continue
        if not kls:  # later groups that wait their turn paint nothing yet
            painted = before = painted + group.decoder(posterior.mean)
    return painted, before, jnp.concatenate(kls)


def pixel_error(
    target: Float[Array, "*B H W 3"], painted: Float[Array, "*B H W 3"], likelihood: str
) -> Float[Array, "*B H W 3"]:
    """Minus the log likelihood of each pixel value, up to a constant [nats]."""
    if likelihood == "gaussian":
        return (target - painted) ** 2
    return jax.nn.softplus(painted) - target * painted
