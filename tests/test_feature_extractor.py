import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.agent.feature_extractor import ConcatFeatures, PatchFeatures, make_feature_extractor
from rig.agent.networks import Actor, Critic


pytestmark = pytest.mark.usefixtures("strict")
SIDE = 48
SIZE = 3 * SIDE**2
GREY = 255 / 2
"""The middle of a pixel's range, which becomes 0."""


@pytest.fixture
def images(rng):
    """Return five random images, each flattened to a row of pixels."""
    return jnp.asarray(rng.integers(256, size=(5, SIZE), dtype=np.uint8))


def features_with(first, second):
    """Return patch features of one channel with constant weights and no biases."""
    features = PatchFeatures(SIZE, (1, 1), key=jax.random.key(0))
    weights = [
        jnp.full_like(layer.weight, w)
        for layer, w in zip(features.layers, (first, second), strict=True)
    ]
    where = lambda tree: [layer.weight for layer in tree.layers]  # noqa: E731
    return eqx.tree_at(where, features, weights)


def test_without_channels_latent_and_goal_are_concatenated(key):
    features = make_feature_extractor(2, (), key=key)
    assert isinstance(features, ConcatFeatures)
    assert features(jnp.array([[1.0, 2.0]]), jnp.array([[3.0, 4.0]])).tolist() == [[1, 2, 3, 4]]
    assert features.size == 4


@pytest.mark.parametrize(("side", "cells"), [(48, 4), (84, 7)])
def test_image_pair_becomes_a_small_grid_of_channels(side, cells, key):
    features = make_feature_extractor(3 * side**2, (5, 6), key=key)
    assert [layer.weight.shape for layer in features.layers] == [(4 * 4 * 6, 5), (3 * 3 * 5, 6)]
    image = jnp.zeros(3 * side**2, jnp.uint8)
    assert features(image, image).shape == (features.size,) == (cells * cells * 6,)


def test_each_cell_depends_on_its_own_square_of_both_images():
    features = features_with(0.01, 1.0)
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    goal = image.copy()
    image[12, 23] = goal[47, 0] = 255  # in the squares of row 1, column 1 and row 3, column 0
    black = 0.01 * -GREY / 255 * 4 * 4 * 6
    seen = features(jnp.asarray(image.reshape(-1)), jnp.asarray(goal.reshape(-1)))
    assert black < 0  # so ReLU sets all other cells to 0
    assert not seen.any()
    bright = eqx.tree_at(lambda tree: tree.layers[0].bias, features, jnp.array([-black]))
    grid = bright(jnp.asarray(image.reshape(-1)), jnp.asarray(goal.reshape(-1))).reshape(4, 4)
    expected = np.zeros((4, 4))
    expected[1, 1] = expected[3, 0] = 0.01 * 3
    np.testing.assert_allclose(grid, expected, atol=1e-5)


def test_image_and_goal_image_are_distinguished(images, key):
    features = make_feature_extractor(SIZE, (4, 8), key=key)
    one, other = images[0], images[1]
    assert np.abs(features(one, other) - features(other, one)).max() > 0.01
    assert np.abs(features(one, other) - features(one, one)).max() > 0.01


def test_networks_with_patch_features_depend_on_the_goal_image(images, key):
    features = make_feature_extractor(SIZE, (4, 8), key=key)
    actor = Actor(features, 2, (16,), layer_norm=False, key=key)
    critic = Critic(features, 2, (16,), layer_norm=False, key=key)
    image, goal, other = images[:1], images[1:2], images[2:3]
    action = actor(image, goal)
    assert action.shape == (1, 2)
    assert (action != actor(image, other)).all()
    assert critic(image, action, goal) != critic(image, action, other)
    assert critic(image, action, goal) != critic(image, -action, goal)


def test_pair_gives_the_same_features_alone_and_in_a_batch(images, key):
    features = make_feature_extractor(SIZE, (4, 8), key=key)
    together = features(images, images[::-1])
    np.testing.assert_allclose(together[1], features(images[1], images[3]), atol=1e-5)
    stacked = features(images[None], images[None, ::-1])
    np.testing.assert_allclose(stacked[0], together, atol=1e-5)
