from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.config import VAEConfig
from rig.representation.vae import Posterior, kl_nats_of, make_vae, to_float, to_uint8


SIDE = 24
PATCHES = VAEConfig(latent_dim=4, likelihood="gaussian", channels=(4, 8))
KEYPOINTS = replace(
    PATCHES, architecture="quantile_keypoints", num_components=10, hidden_size=8
)
BERNOULLI = replace(PATCHES, likelihood="bernoulli")
FEATURES = replace(KEYPOINTS, architecture="feature_points")
CONFIGS = {
    "patches": PATCHES,
    "quantile_keypoints": KEYPOINTS,
    "feature_points": FEATURES,
    "bernoulli": BERNOULLI,
}
every_vae = pytest.mark.parametrize("name", CONFIGS)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(30, 226, size=(20, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def vaes(images):
    rng, key = np.random.default_rng(0), jax.random.key(0)
    return {
        name: make_vae(config, images, key=key, rng=rng) for name, config in CONFIGS.items()
    }


@pytest.mark.parametrize(
    ("mean", "std", "nats"), [(2, 1, 2), (0, 1, 0), (-2, 1, 2), (0, np.e, (np.e**2 - 3) / 2)]
)
def test_kl_to_the_standard_normal_is_the_closed_form(mean, std, nats):
    posterior = Posterior(jnp.array([0.0, mean]), jnp.array([0.0, np.log(std)]))
    np.testing.assert_allclose(posterior.kl_to_standard_normal(), [0, nats], atol=1e-6)


def test_kl_is_computed_per_row_and_dimension():
    rows = np.array([[0.0, 2.0], [4.0, 0.0]], np.float32)
    np.testing.assert_allclose(kl_nats_of(rows, 0 * rows), [[0, 2], [8, 0]])


def test_sample_is_mean_plus_std_times_noise(key):
    noise = jax.random.normal(key, (3,))
    posterior = Posterior(jnp.array([1.0, 2.0, 3.0]), jnp.log(jnp.array([1.0, 0.5, 2.0])))
    expected = jnp.array([1.0, 2.0, 3.0]) + jnp.array([1.0, 0.5, 2.0]) * noise
    np.testing.assert_allclose(posterior.sample(key=key), expected, rtol=1e-6)


@every_vae
def test_new_vae_decodes_to_the_mean_image(name, vaes, images):
    decoded = vaes[name].decode(jnp.zeros(4))
    np.testing.assert_allclose(decoded, images.mean(axis=0) / 255, atol=1e-4)


@every_vae
def test_every_latent_has_a_mean_and_a_log_std(name, vaes, images):
    posterior = eqx.filter_jit(vaes[name].encode)(to_float(jnp.asarray(images[0])))
    assert posterior.mean.shape == posterior.log_std.shape == (4,)


@every_vae
def test_decoded_pixels_stay_in_bounds(name, vaes):
    far = eqx.filter_jit(vaes[name].decode)(jnp.full(4, 1e4))
    assert 0 <= far.min() < far.max() <= 1


def test_logits_are_the_mean_plus_the_scaled_decoder(vaes, key):
    vae, latent = replace(vaes["patches"], scale=jnp.array(2.0)), jax.random.normal(key, (4,))
    expected = vae.mean_logits + 2 * vae.decoder(latent)
    np.testing.assert_allclose(vae.decode_logits(latent), expected, rtol=1e-5)


def test_mean_and_scale_are_not_learned(vaes):
    gradient = jax.jit(jax.grad(lambda vae: vae.decode_logits(jnp.ones(4)).sum()))(
        vaes["patches"]
    )
    assert gradient.scale == 0
    assert not gradient.mean_logits.any()
    assert gradient.decoder.first.weight.any()


def test_bernoulli_decodes_logits(vaes):
    vae = vaes["bernoulli"]
    expected = vae.output_basis.reconstruct(jax.nn.sigmoid(vae.decode_logits(jnp.ones(4))))
    np.testing.assert_allclose(vae.decode(jnp.ones(4)), expected, rtol=1e-5)


def test_bytes_survive_conversion_to_float_and_back():
    values = jnp.arange(256, dtype=jnp.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert to_float(values).max() == 1
    np.testing.assert_array_equal(to_uint8(to_float(values)), values)
