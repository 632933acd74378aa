from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.config import VAEConfig
from rig.errors import DivergedError, NotEnoughDataError
from rig.latent import fit as fitting
from rig.latent.fit import (
    Lesson,
    explain,
    fine_tune,
    fit,
    group_loss,
    make_lesson,
    pixel_error,
)
from rig.latent.vae import new_vae, to_float


CONFIG = VAEConfig(
    group_sizes=(2, 2),
    likelihood="gaussian",
    channels=(4, 8),
    num_components=8,
    hidden_size=16,
    beta=0.01,
    learning_rate=1e-2,
    batch_size=16,
    num_fit_steps=80,
    blur_sigmas_px=(6.0,),
)
PRINCIPAL = replace(CONFIG, architecture="principal")
CONFIGS = [CONFIG, PRINCIPAL]
SEED = 3


@pytest.fixture(scope="module", autouse=True)
def few_programs():
    """Every dispatch of every test is as long, so that one program serves them all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "STEPS_PER_DISPATCH", 20)
        yield


@pytest.fixture(scope="module")
def images():
    """Two lamps on a wall, each as bright as it likes."""
    rng = np.random.default_rng(0)
    lamps = np.zeros((2, 12, 12, 3))
    lamps[0, 2:6, 2:6], lamps[1, 7:11, 5:9] = 200, 100
    brightness = rng.uniform(size=(50, 2))
    return np.einsum("nl,lhwc->nhwc", brightness, lamps).astype(np.uint8)


@pytest.fixture(scope="module")
def make(images):
    rng, key = np.random.default_rng(0), jax.random.key(0)
    made = {config: new_vae(config, images, key=key, rng=rng) for config in CONFIGS}
    return made.get


def fitted(vae, images, config, **options):
    return fit(vae, images, config, rng=np.random.default_rng(SEED), **options)


def assert_same_arrays(first, second):
    jax.tree.map(np.testing.assert_array_equal, first, second)


@eqx.filter_jit
def all_errors(vae, images):
    def error(image):
        return jnp.mean((vae.decode(vae.encode(image).mean) - image) ** 2)

    return jax.vmap(error)(to_float(images))


def error_of(vae, images):
    return float(all_errors(vae, jnp.asarray(images)).mean())


def lesson_of(vae, images):
    left = jnp.asarray(explain(vae, 0, images), jnp.float32)
    return Lesson(left, left, jnp.zeros_like(vae.base), jnp.asarray(0.5), vae.likelihood)


def blind(group, mean):
    """A group that says N(mean, 1) of every image, and paints nothing."""
    group = jax.tree.map(jnp.zeros_like, group)
    bias = jnp.array([mean, mean, 0.0, 0.0])
    group = eqx.tree_at(lambda group: group.encoder.head.bias, group, bias)
    return replace(group, scale=jnp.ones(()))


def test_loss_is_error_summed_over_pixels_plus_beta_times_the_kl(make, images, key):
    vae = make(CONFIG)
    lesson = lesson_of(vae, images)
    loss, metrics = group_loss(blind(vae.groups[0], 2.0), lesson, 3.0, key=key)
    error = 0.5 * np.sum(np.asarray(lesson.shown) ** 2) / len(images)
    assert metrics["vae/kl_nats"] == pytest.approx(2 + 2)
    assert metrics["vae/error_nats"] == pytest.approx(error, rel=1e-5)
    assert loss == pytest.approx(error + 3 * 4, rel=1e-5)


@pytest.mark.parametrize(
    ("target", "painted", "likelihood", "error"),
    [
        (1.0, 0.25, "gaussian", 0.75**2),
        (1.0, 0.0, "bernoulli", np.log(2)),
        (0.25, np.log(3), "bernoulli", np.log(4) - 0.25 * np.log(3)),
    ],
)
def test_error_of_a_pixel_by_hand(target, painted, likelihood, error):
    numbers = pixel_error(jnp.array([target]), jnp.array([painted], jnp.float32), likelihood)
    assert numbers[0] == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize("config", CONFIGS)
def test_gradient_of_the_loss_is_its_slope(config, make, images, key):
    vae = make(config)
    lesson = lesson_of(vae, images)
    loss = jax.jit(jax.value_and_grad(lambda group: group_loss(group, lesson, 0.5, key=key)[0]))
    _, gradient = loss(vae.groups[0])
    square = sum(jax.tree.leaves(jax.tree.map(lambda leaf: jnp.sum(leaf**2), gradient)))
    step = 0.01 / square
    ahead, behind = (
        jax.tree.map(lambda leaf, slope, by=by: leaf + by * slope, vae.groups[0], gradient)
        for by in (step, -step)
    )
    assert loss(ahead)[0] - loss(behind)[0] == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("config", CONFIGS)
def test_fit_halves_the_error(config, make, images):
    before = make(config)
    after = fitted(before, images, config)
    assert error_of(after, images) < 0.5 * error_of(before, images)


def test_same_seed_fits_the_same_bytes(make, images):
    first, second = (fitted(make(CONFIG), images, CONFIG) for _ in range(2))
    assert_same_arrays(first, second)


def test_second_group_lessens_what_the_first_left(make, images):
    after = fitted(make(CONFIG), images, CONFIG)
    left = [np.mean(np.float32(explain(after, num, images)) ** 2) for num in (0, 1, 2)]
    assert left[0] > left[1] > left[2]


def test_fit_tells_its_progress_up_to_the_last_step(make, images):
    told = []
    fitted(make(CONFIG), images, CONFIG, on_progress=lambda *row: told.append(row))
    assert [step for step, _ in told] == [20, 40, 60, 80, 100, 120, 140, 160]
    assert set(told[-1][1]) == {"vae/loss_nats", "vae/error_nats", "vae/kl_nats"}


def test_without_steps_no_network_changes(make, images):
    before = make(CONFIG)
    after = fitted(before, images, replace(CONFIG, num_fit_steps=0))
    assert_same_arrays(after.groups[0].encoder, before.groups[0].encoder)
    assert_same_arrays(after.groups[1].decoder, before.groups[1].decoder)


def test_scale_is_the_root_mean_square_of_what_is_shown(make, images):
    after = fitted(make(CONFIG), images, replace(CONFIG, num_fit_steps=0))
    shown = images / 255 - (images / 255).mean(axis=0)
    assert after.groups[0].scale == pytest.approx(np.sqrt(np.mean(shown**2)), rel=1e-3)


def test_blurred_target_weighs_as_much_as_a_sharp_one(make, images):
    vae = make(CONFIG)
    lesson = make_lesson(vae, images, explain(vae, 0, images), 9.0)
    blurred, sharp = (np.float32(numbers) for numbers in (lesson.target, lesson.shown))
    assert np.sum(blurred**2) < 0.8 * np.sum(sharp**2)
    assert lesson.weight * np.sum(blurred**2) == pytest.approx(np.sum(sharp**2), rel=1e-2)


def test_fine_tuning_learns_what_is_new_but_keeps_base_and_scale(make, images):
    vae, new = fitted(make(CONFIG), images, CONFIG), images[:, ::-1]
    after = fine_tune(vae, new, CONFIG, 80, rng=np.random.default_rng(SEED))
    assert error_of(after, new) < 0.5 * error_of(vae, new)
    assert_same_arrays(after.base, vae.base)
    assert [group.scale for group in after.groups] == [group.scale for group in vae.groups]


def test_no_image_to_fit_to_says_what_to_raise(make, images):
    with pytest.raises(NotEnoughDataError, match=r"raise --collect\.num-images"):
        fitted(make(CONFIG), images[:0], CONFIG)


def test_fit_that_diverges_says_what_to_lower(make, images):
    broken = eqx.tree_at(lambda vae: vae.base, make(CONFIG), replace_fn=lambda x: x / 0)
    with pytest.raises(DivergedError, match=r"lower --vae\.learning-rate"):
        fitted(broken, images, CONFIG)
