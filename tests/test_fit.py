from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.config import VAEConfig
from rig.errors import DivergedError, NotEnoughDataError
from rig.representation import fit as fitting
from rig.representation.fit import (
    blurred_targets,
    fine_tune,
    fit,
    project_images,
)
from rig.representation.vae import make_vae, to_float
from rig.representation.vae_loss import pixel_error, vae_loss


CONFIG = VAEConfig(
    latent_dim=4,
    likelihood="gaussian",
    channels=(16, 32),
    num_components=8,
    hidden_size=16,
    beta=0.01,
    learning_rate=5e-3,
    batch_size=16,
    num_fit_steps=320,
    blur_sigmas_px=(6.0,),
)
KEYPOINTS = replace(CONFIG, architecture="quantile_keypoints")
CONFIGS = [CONFIG, KEYPOINTS]
SEED = 3


@pytest.fixture(scope="module", autouse=True)
def few_programs():
    """Give every compiled call the same length, so that all tests share one program."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "STEPS_PER_DISPATCH", 40)
        yield


@pytest.fixture(scope="module")
def images():
    """Return images of two lamps on a wall, each of random brightness."""
    rng = np.random.default_rng(0)
    lamps = np.zeros((2, 24, 24, 3))
    lamps[0, 4:12, 4:12], lamps[1, 14:22, 10:18] = 200, 100
    brightness = rng.uniform(size=(50, 2))
    return np.einsum("nl,lhwc->nhwc", brightness, lamps).astype(np.uint8)


@pytest.fixture(scope="module")
def distinct_inputs(images):
    """Return the images of each encoder: of varying brightness, or of a moving object."""
    moving = np.zeros((50, 24, 24, 3), np.uint8)
    for image, left in zip(moving, np.random.default_rng(0).integers(0, 16, 50), strict=True):
        image[4:12, left : left + 8] = 200, 40, 40
    return {CONFIG: images, KEYPOINTS: moving}


@pytest.fixture(scope="module")
def make(images):
    rng, key = np.random.default_rng(0), jax.random.key(0)
    made = {config: make_vae(config, images, key=key, rng=rng) for config in CONFIGS}
    return made.get


def fitted(vae, images, config, **options):
    return fit(vae, images, config, rng=np.random.default_rng(SEED), **options)


@pytest.fixture(scope="module")
def fit_and_reports(make, images):
    """Return the VAE after one fit, and what the fit reported."""
    reports = []
    after = fitted(make(CONFIG), images, CONFIG, on_progress=lambda *row: reports.append(row))
    return after, reports


def assert_same_arrays(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


@eqx.filter_jit
def all_errors(vae, images):
    def error(image):
        return jnp.mean((vae.decode(vae.encode(image).mean) - image) ** 2)

    return jax.vmap(error)(to_float(images))


def error_of(vae, images):
    return float(all_errors(vae, jnp.asarray(images)).mean())


def loss_of(vae, images, beta, key):
    """Return the loss with weight 0.5, and its metrics."""
    shown = to_float(jnp.asarray(images))
    targets = jax.vmap(vae.output_basis.project)(shown)
    return vae_loss(vae, shown, targets, jnp.asarray(0.5), beta, key=key)


def with_constant_posterior(vae, mean):
    """Return a VAE with posterior N(mean, 1) for every image that decodes the mean image."""
    networks = jax.tree.map(jnp.zeros_like, (vae.encoder, vae.decoder))
    vae = replace(vae, encoder=networks[0], decoder=networks[1])
    bias = jnp.array([mean] * 4 + [0.0] * 4)
    return eqx.tree_at(lambda vae: vae.encoder.head.bias, vae, bias)


def test_loss_is_error_summed_over_pixels_plus_beta_times_the_kl(make, images, key):
    loss, metrics = loss_of(with_constant_posterior(make(CONFIG), 2.0), images, 3.0, key)
    differences = images / 255 - images.mean(axis=0) / 255
    error = 0.5 * np.sum(differences**2) / len(images)
    assert metrics["vae/kl_nats"] == pytest.approx(4 * 2)
    assert metrics["vae/error_nats"] == pytest.approx(error, rel=1e-4)
    assert loss == pytest.approx(error + 3 * 8, rel=1e-4)


@pytest.mark.parametrize(
    ("target", "logit", "likelihood", "error"),
    [
        (1.0, 0.25, "gaussian", 0.75**2),
        (1.0, 0.0, "bernoulli", np.log(2)),
        (0.25, np.log(3), "bernoulli", np.log(4) - 0.25 * np.log(3)),
    ],
)
def test_error_of_a_pixel_by_hand(target, logit, likelihood, error):
    numbers = pixel_error(jnp.array([target]), jnp.array([logit], jnp.float32), likelihood)
    assert numbers[0] == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize("config", CONFIGS)
def test_gradient_of_the_loss_is_its_slope(config, images, key, rng, measured):
    vae = make_vae(config, images, key=key, rng=rng)
    loss = jax.jit(jax.value_and_grad(lambda vae: loss_of(vae, images, 0.5, key)[0]))
    _, gradient = loss(vae)
    square = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(gradient.encoder))
    by = 0.01 / square
    ahead, behind = (
        replace(vae, encoder=jax.tree.map(lambda x, g, by=by: x + by * g, *both))
        for by in (by, -by)
        for both in [(vae.encoder, gradient.encoder)]
    )
    slope = (loss(ahead)[0] - loss(behind)[0]) / 0.02
    measured(f"slope, {config.architecture}", slope, above=0.95, below=1.05)


@pytest.mark.parametrize(
    "config",
    [CONFIG, pytest.param(KEYPOINTS, marks=[pytest.mark.slow, pytest.mark.ci])],
)
def test_fit_halves_the_error(config, distinct_inputs, key, rng, measured):
    images = distinct_inputs[config]
    before = make_vae(config, images, key=key, rng=rng)
    after = fit(before, images, config, rng=rng)
    left = error_of(after, images) / error_of(before, images)
    measured(f"error left, {config.architecture}", left, below=0.5)


def test_same_seed_fits_the_same_bytes(make, images, fit_and_reports):
    assert_same_arrays(fit_and_reports[0], fitted(make(CONFIG), images, CONFIG))


def test_fit_reports_its_progress_up_to_the_last_step(fit_and_reports):
    _, reports = fit_and_reports
    assert [step for step, _ in reports] == list(range(40, 321, 40))
    assert set(reports[-1][1]) == {"vae/loss_nats", "vae/error_nats", "vae/kl_nats"}


def test_scale_is_the_root_mean_square_of_the_targets(make, images):
    before = make(CONFIG)
    after = fitted(before, images, replace(CONFIG, num_fit_steps=0))
    differences = images / 255 - images.mean(axis=0) / 255
    assert after.scale == pytest.approx(np.sqrt(np.mean(differences**2)), rel=1e-2)
    assert_same_arrays(after.decoder, before.decoder)


@pytest.mark.parametrize("config", CONFIGS)
def test_blurred_and_sharp_targets_weigh_the_same(config, make, images):
    vae = make(config)
    sharp = project_images(vae, images)
    blurred, weight = blurred_targets(vae, sharp, 9.0, 24)
    change, blurred_change = (
        np.sum((np.float32(t) - np.asarray(vae.mean_logits)) ** 2) for t in (sharp, blurred)
    )
    assert blurred_change < 0.8 * change
    assert weight * blurred_change == pytest.approx(change, rel=1e-2)


def test_fine_tuning_learns_new_images_but_keeps_mean_and_scale(images, key, rng, measured):
    vae, new = make_vae(CONFIG, images, key=key, rng=rng), images[:, ::-1]
    vae = fit(vae, images, CONFIG, rng=rng)
    after = fine_tune(vae, new, CONFIG, 160, rng=rng)
    measured("error left", error_of(after, new) / error_of(vae, new), below=0.5)
    assert_same_arrays((after.mean_logits, after.scale), (vae.mean_logits, vae.scale))


def test_mean_image_is_not_learned(make, fit_and_reports):
    after, _ = fit_and_reports
    assert_same_arrays(after.encoder.mean_image, make(CONFIG).encoder.mean_image)


def test_fit_without_images_names_the_setting_to_raise(make, images):
    with pytest.raises(NotEnoughDataError, match=r"raise --collect\.num-images"):
        fitted(make(CONFIG), images[:0], CONFIG)


def test_diverging_fit_names_the_setting_to_lower(make, images):
    broken = eqx.tree_at(lambda vae: vae.mean_logits, make(CONFIG), replace_fn=lambda x: x / 0)
    with pytest.raises(DivergedError, match=r"lower --vae\.learning-rate"):
        fitted(broken, images, CONFIG)
