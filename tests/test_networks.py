import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.agent.feature_extractor import ConcatFeatures
from rig.agent.networks import MLP, Actor, Critic, normalise


pytestmark = pytest.mark.usefixtures("strict")


def with_weights(network, *weights):
    """The network with these weights, layer by layer, and no biases."""
    where = [lambda tree, i=i: tree.mlp.layers[i].weight for i in range(len(weights))]
    for pick, weight in zip(where, weights, strict=True):
        network = eqx.tree_at(pick, network, jnp.array(weight, jnp.float32))
    return network


def test_critic_takes_latent_goal_and_action(key):
    critic = with_weights(
        Critic(ConcatFeatures(1), 1, (), layer_norm=False, key=key), [[1], [10], [100]]
    )
    latent, action, goal = (jnp.array([[number]]) for number in (1.0, 2.0, 3.0))
    assert critic(latent, action, goal).tolist() == [1 + 10 * 3 + 100 * 2]


def test_actor_takes_latent_and_goal_and_squashes_its_action(key):
    actor = with_weights(
        Actor(ConcatFeatures(1), 1, (), layer_norm=False, key=key), [[0.1], [0.01]]
    )
    action = actor(jnp.array([[2.0], [1e4], [-1e4]]), jnp.array([[3.0], [0.0], [0.0]]))
    np.testing.assert_allclose(action[:, 0], [np.tanh(0.23), 1, -1], rtol=1e-5)


def test_hidden_units_are_rectified(key):
    critic = Critic(ConcatFeatures(1), 1, (2,), layer_norm=False, key=key)
    critic = with_weights(critic, [[1, -1], [0, 0], [0, 0]], [[1], [10]])
    nothing = jnp.zeros((2, 1))
    assert critic(jnp.array([[3.0], [-2.0]]), nothing, nothing).tolist() == [3, 20]


def test_normalised_rows_have_mean_0_and_variance_1():
    rows = normalise(jnp.array([[1.0, 2.0, 6.0], [100.0, 200.0, 600.0]]))
    np.testing.assert_allclose(rows.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(rows.var(axis=-1), 1, atol=1e-4)


def test_layer_norm_removes_the_scale_of_the_input(key):
    with_norm, without = (MLP(2, (8,), 1, layer_norm=on, key=key) for on in (True, False))
    small, large = jnp.array([1.0, 2.0]), jnp.array([100.0, 200.0])
    np.testing.assert_allclose(with_norm(small), with_norm(large), rtol=1e-3)
    np.testing.assert_allclose(100 * without(small), without(large), rtol=1e-3)


def test_actions_and_values_start_near_0(key):
    rows = jax.random.normal(key, (50, 3))
    actor = Actor(ConcatFeatures(3), 2, (16,), layer_norm=True, key=key)
    critic = Critic(ConcatFeatures(3), 2, (16,), layer_norm=True, key=key)
    action = actor(rows, -rows)
    assert 0 < jnp.abs(action).max() < 0.1
    assert 0 < jnp.abs(critic(rows, action, -rows)).max() < 0.1


def test_row_gives_the_same_alone_and_in_a_batch(key):
    actor = Actor(ConcatFeatures(3), 2, (16,), layer_norm=True, key=key)
    rows = jax.random.normal(key, (5, 3))
    np.testing.assert_allclose(actor(rows, -rows)[3], actor(rows[3], -rows[3]), atol=1e-6)
