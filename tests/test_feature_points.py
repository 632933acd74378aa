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
    """The places of a lamp on the wall, right and down of each feature_point."""
    tell = jax.jit(lambda image: encoder(image)[0])

    def mean_positions(row, column):
        return tell(WALL.at[row : row + 3, column : column + 3].set(1.0)).reshape(3, 2)

    return mean_positions


def test_feature_points_go_right_as_the_thing_goes_right(places):
    first, second, third = (places(10, column) for column in (5, 9, 13))
    assert (np.abs(second - first)[:, 0] > 1e-4).all()
    np.testing.assert_allclose(third - second, second - first, atol=1e-5)
    np.testing.assert_allclose((second - first)[:, 1], 0, atol=1e-5)


def test_feature_points_go_down_as_the_thing_goes_down(places):
    first, second, third = (places(row, 10) for row in (5, 9, 13))
    assert (np.abs(second - first)[:, 1] > 1e-4).all()
    np.testing.assert_allclose(third - second, second - first, atol=1e-5)
    np.testing.assert_allclose((second - first)[:, 0], 0, atol=1e-5)


def test_right_and_down_are_measured_alike(places):
    middle, right, down = places(10, 10), places(10, 14), places(14, 10)
    np.testing.assert_allclose((right - middle)[:, 0], (down - middle)[:, 1], atol=1e-5)


def test_wall_alone_puts_every_feature_point_in_the_middle(encoder):
    np.testing.assert_allclose(encoder(WALL)[0], np.zeros(6), atol=1e-5)


@pytest.mark.parametrize("side", [24, 48, 84])
def test_places_stay_inside_the_image(side, key):
    images = jax.random.uniform(key, (2, side, side, 3))
    mean, log_std = jax.jit(FeaturePointEncoder(images[0], 2, key=key).__call__)(images[1])
    assert mean.shape == log_std.shape == (4,)
    assert jnp.abs(mean).max() < POSITION_SCALE


def test_spread_is_one_number_per_latent_whatever_the_image(encoder):
    for image in (WALL, 1 - WALL / 2):
        np.testing.assert_array_equal(encoder(image)[1], np.full(6, INITIAL_LOG_STD))


def test_mean_image_is_not_learned(encoder, key):
    image = jax.random.uniform(key, (SIDE, SIDE, 3))
    gradient = jax.jit(jax.grad(lambda encoder: encoder(image)[0].sum()))(encoder)
    assert not gradient.mean_image.any()
    assert gradient.first.weight.any()
