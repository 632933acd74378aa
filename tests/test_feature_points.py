import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.representation.feature_points import FeaturePointEncoder
from rig.representation.spatial_softmax import INITIAL_LOG_STD, POSITION_SCALE


SIDE = 24
WALL = jnp.full((SIDE, SIDE, 3), 0.5)


@pytest.fixture(scope="module")
def encoder():
    return FeaturePointEncoder(WALL, 3, key=jax.random.key(1))


@pytest.fixture(scope="module")
def places(encoder):
    """Return a function of a lamp's row and column that gives x and y of each feature point."""
    encode = jax.jit(lambda image: encoder(image)[0])

    def mean_positions(row, column):
        return encode(WALL.at[row : row + 3, column : column + 3].set(1.0)).reshape(3, 2)

    return mean_positions


def test_feature_points_move_right_with_the_object(places):
    first, second, third = (places(10, column) for column in (5, 9, 13))
    assert (np.abs(second - first)[:, 0] > 1e-4).all()
    np.testing.assert_allclose(third - second, second - first, atol=1e-5)
    np.testing.assert_allclose((second - first)[:, 1], 0, atol=1e-5)


def test_feature_points_move_down_with_the_object(places):
    first, second, third = (places(row, 10) for row in (5, 9, 13))
    assert (np.abs(second - first)[:, 1] > 1e-4).all()
    np.testing.assert_allclose(third - second, second - first, atol=1e-5)
    np.testing.assert_allclose((second - first)[:, 0], 0, atol=1e-5)


def test_right_and_down_have_the_same_scale(places):
    middle, right, down = places(10, 10), places(10, 14), places(14, 10)
    np.testing.assert_allclose((right - middle)[:, 0], (down - middle)[:, 1], atol=1e-5)


def test_feature_points_of_a_plain_wall_are_in_the_centre(encoder):
    np.testing.assert_allclose(encoder(WALL)[0], np.zeros(6), atol=1e-5)


@pytest.mark.parametrize("side", [24, 48, 84])
def test_positions_stay_inside_the_image(side, key):
    images = jax.random.uniform(key, (2, side, side, 3))
    mean, log_std = jax.jit(FeaturePointEncoder(images[0], 2, key=key).__call__)(images[1])
    assert mean.shape == log_std.shape == (4,)
    assert jnp.abs(mean).max() < POSITION_SCALE


def test_log_std_does_not_depend_on_the_image(encoder):
    for image in (WALL, 1 - WALL / 2):
        np.testing.assert_array_equal(encoder(image)[1], np.full(6, INITIAL_LOG_STD))


def test_mean_image_is_not_learned(encoder, key):
    image = jax.random.uniform(key, (SIDE, SIDE, 3))
    gradient = jax.jit(jax.grad(lambda encoder: encoder(image)[0].sum()))(encoder)
    assert not gradient.mean_image.any()
    assert gradient.first.weight.any()
