import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.nn.layers import RowLinear
from rig.nn.patches import (
    MAX_LOG_STD,
    MIN_LOG_STD,
    PatchDecoder,
    PatchEncoder,
    depth_to_space,
    space_to_depth,
    split_log_std,
)


pytestmark = pytest.mark.usefixtures("strict")


def numbered_image(height, width):
    return jnp.arange(height * width * 3, dtype=jnp.float32).reshape(height, width, 3)


@pytest.mark.parametrize("side", [3, 4])
def test_depth_to_space_is_the_inverse_of_space_to_depth(side):
    image = numbered_image(12, 24)
    np.testing.assert_array_equal(depth_to_space(space_to_depth(image, side), side), image)


def test_patch_has_the_pixels_at_its_position():
    image = numbered_image(12, 24)
    patch = space_to_depth(image, 4)[1, 3]
    np.testing.assert_array_equal(patch.reshape(4, 4, 3), image[4:8, 12:16])


def test_row_linear_maps_every_cell_the_same_way(key):
    linear = RowLinear(3, 5, key=key)
    rows = jax.random.normal(key, (2, 4, 3))
    np.testing.assert_allclose(linear(rows)[1, 2], linear(rows[1, 2]), rtol=1e-6)
    np.testing.assert_allclose(linear(rows)[1, 2], rows[1, 2] @ linear.weight, rtol=1e-6)


def test_shrunk_layer_outputs_a_tenth(key):
    linear, row = RowLinear(3, 5, key=key), jnp.ones(3)
    np.testing.assert_allclose(linear.shrunk()(row), 0.1 * linear(row), rtol=1e-6)


@pytest.mark.parametrize("image_size", [24, 48, 84])
def test_encoder_and_decoder_work_at_any_image_size(image_size, key):
    image = jnp.ones((image_size, image_size, 3))
    encoder = PatchEncoder(image, (4, 8), 5, key=key)
    decoder = PatchDecoder(image_size, (4, 8), 5, key=key)
    mean, log_std = jax.eval_shape(encoder, image)
    assert mean.shape == log_std.shape == (5,)
    assert jax.eval_shape(decoder, mean).shape == space_to_depth(image, 4).shape


def test_mean_image_encodes_to_zero_and_every_pixel_counts(key):
    image = jax.random.uniform(key, (24, 24, 3))
    encoder = PatchEncoder(image, (4, 8), 2, key=key)
    encode = jax.jit(lambda image: jnp.sum(encoder(image)[0]))
    assert encode(image) == 0
    assert (jax.grad(encode)(image + 0.1) != 0).any(axis=-1).all()


def test_log_std_is_clipped():
    mean, log_std = split_log_std(jnp.array([100.0, -100.0, 0.5, 100.0, -100.0, 0.5]))
    assert mean.tolist() == [100.0, -100.0, 0.5]
    assert log_std.tolist() == [MAX_LOG_STD, MIN_LOG_STD, 0.5]
