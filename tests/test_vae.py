from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.config import VAEConfig
from rig.latent.vae import Posterior, kl_nats_of, mean_image, new_vae, to_float, to_uint8


pytestmark = pytest.mark.usefixtures("strict")
SIDE = 24
PATCHES = VAEConfig(group_sizes=(2, 3), likelihood="gaussian", channels=(4, 8))
PRINCIPAL = replace(PATCHES, architecture="principal", num_components=10, hidden_size=8)
BERNOULLI = VAEConfig(group_sizes=(5,), channels=(4, 8))
CONFIGS = [PATCHES, PRINCIPAL, BERNOULLI]


@pytest.fixture
def images(rng):
    return rng.integers(30, 226, size=(20, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture
def make(images, key, rng):
    return lambda config: new_vae(config, images, key=key, rng=rng)


def grown(vae):
    """The VAE with larger weights, so that what it paints can't be missed."""
    return jax.tree.map(lambda leaf: 3 * leaf if leaf.ndim == 2 else leaf, vae)


@pytest.mark.parametrize(
    ("mean", "std", "nats"), [(2, 1, 2), (0, 1, 0), (-2, 1, 2), (0, np.e, (np.e**2 - 3) / 2)]
)
def test_kl_to_the_standard_normal_is_the_closed_form(mean, std, nats):
    posterior = Posterior(jnp.array([0.0, mean]), jnp.array([0.0, np.log(std)]))
    np.testing.assert_allclose(posterior.kl_to_standard_normal(), [0, nats], atol=1e-6)


def test_kl_keeps_its_rows():
    rows = np.array([[0.0, 2.0], [4.0, 0.0]], np.float32)
    np.testing.assert_allclose(kl_nats_of(rows, 0 * rows), [[0, 2], [8, 0]])


def test_sample_is_mean_plus_spread_times_noise(key):
    noise = jax.random.normal(key, (3,))
    posterior = Posterior(jnp.array([1.0, 2.0, 3.0]), jnp.log(jnp.array([1.0, 0.5, 2.0])))
    expected = jnp.array([1.0, 2.0, 3.0]) + jnp.array([1.0, 0.5, 2.0]) * noise
    np.testing.assert_allclose(posterior.sample(key=key), expected, rtol=1e-6)


@pytest.mark.parametrize("config", CONFIGS)
def test_vae_that_has_learned_nothing_paints_the_mean_image(config, make, images):
    painted = make(config).decode(jnp.zeros(5))
    np.testing.assert_allclose(painted, images.mean(axis=0) / 255, atol=1e-4)


@pytest.mark.parametrize("config", CONFIGS)
def test_every_latent_has_a_mean_and_a_spread(config, make, images):
    posterior = make(config).encode(to_float(jnp.asarray(images[0])))
    assert posterior.mean.shape == posterior.log_std.shape == (config.latent_size,)


@pytest.mark.parametrize("config", CONFIGS)
def test_decoded_pixels_stay_in_bounds(config, make):
    vae = make(config)
    far = jnp.full(5, 1e4)
    assert 0 <= vae.decode(far).min() < vae.decode(far).max() <= 1


@pytest.mark.parametrize("config", [PATCHES, PRINCIPAL])
def test_first_group_is_shown_the_image_less_the_mean_image(config, make, images):
    vae, image = make(config), to_float(jnp.asarray(images[0]))
    shown = vae.canvas.put(image) - vae.canvas.put(mean_image(images))
    np.testing.assert_allclose(vae.unexplained(image, 0), shown, atol=1e-6)


@pytest.mark.parametrize("config", [PATCHES, PRINCIPAL])
def test_second_group_is_shown_what_the_first_left(config, make, images):
    vae, image = grown(make(config)), to_float(jnp.asarray(images[0]))
    first, second = vae.groups
    left = vae.unexplained(image, 0) - first.decode(vae.encode(image).mean[:2])
    np.testing.assert_allclose(vae.unexplained(image, 1), left, atol=1e-5)
    np.testing.assert_allclose(vae.encode(image).mean[2:], second.encode(left).mean, atol=1e-4)


@pytest.mark.parametrize("config", [PATCHES, PRINCIPAL])
def test_groups_paint_on_top_of_each_other(config, make, key):
    vae, latent = make(config), jax.random.normal(key, (5,))
    first, second = vae.groups
    numbers = vae.base + first.decode(latent[:2]) + second.decode(latent[2:])
    image = jnp.clip(vae.canvas.show(numbers) + vae.canvas.background, 0, 1)
    np.testing.assert_allclose(vae.decode(latent), image, atol=1e-5)


def test_group_works_in_units_of_its_scale(make, images):
    group = make(PATCHES).groups[0]
    doubled = replace(group, scale=2 * group.scale)
    shown, latent = jnp.ones((6, 6, 48)), jnp.ones(2)
    np.testing.assert_allclose(doubled.encode(2 * shown).mean, group.encode(shown).mean)
    np.testing.assert_allclose(doubled.decode(latent), 2 * group.decode(latent))


def test_scale_is_not_learned(make):
    group = make(PATCHES).groups[0]
    gradient = eqx.filter_grad(lambda group: group.decode(jnp.ones(2)).sum())(group)
    assert gradient.scale == 0


def test_every_byte_survives_the_way_to_float_and_back():
    values = jnp.arange(256, dtype=jnp.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert to_float(values).max() == 1
    np.testing.assert_array_equal(to_uint8(to_float(values)), values)
