from dataclasses import replace
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.agent.feature_extractor import ConcatFeatures
from rig.agent.networks import Actor, Critic
from rig.agent.td3 import (
    Transitions,
    actor_loss,
    critic_loss,
    new_learner,
    td_target,
    update_actor_and_targets,
    update_critics,
    update_many,
)
from rig.config import TD3Config


CONFIG = TD3Config(
    hidden_sizes=(4,), gamma=0.9, tau=0.25, target_policy_noise=0.0, batch_size=6
)


@pytest.fixture(scope="module")
def learner():
    """Nothing learned, but targets that are other networks than those they follow."""
    first, second = (new_learner(2, 2, CONFIG, key=jax.random.key(seed)) for seed in range(2))
    return replace(
        first, target_actor=second.actor, target_critics=jax.tree.map(jnp.sin, second.critics)
    )


@pytest.fixture
def batches(rng):
    """Random transitions of two latents and two actions ``[3 cycles, 2, 6 rows]``."""
    return random_transitions(rng, 3, 2, 6)


def random_transitions(rng, *shape):
    def draw(*size):
        return jnp.asarray(rng.standard_normal((*shape, *size), np.float32))

    discount = jnp.full(shape, CONFIG.gamma)
    return Transitions(draw(2), jnp.tanh(draw(2)), draw(2), draw(2), draw(), discount)


def constant_critic(value):
    critic = jax.tree.map(
        jnp.zeros_like, Critic(ConcatFeatures(1), 1, (), layer_norm=False, key=KEY)
    )
    return eqx.tree_at(lambda tree: tree.mlp.layers[-1].bias, critic, jnp.array([value]))


def linear_critic(latent, goal, action):
    critic = Critic(ConcatFeatures(1), 1, (), layer_norm=False, key=KEY)
    weight = jnp.array([[latent], [goal], [action]])
    return eqx.tree_at(lambda tree: tree.mlp.layers[-1].weight, critic, weight)


def constant_actor(action):
    actor = jax.tree.map(
        jnp.zeros_like, Actor(ConcatFeatures(1), 1, (), layer_norm=False, key=KEY)
    )
    bias = jnp.array([np.arctanh(action)], jnp.float32)
    return eqx.tree_at(lambda tree: tree.mlp.layers[-1].bias, actor, bias)


KEY = jax.random.key(0)
NUMBERED = Transitions(
    *(jnp.full((1, 1), number) for number in (1.0, 2.0, 3.0, 4.0)),
    *(jnp.full(1, number) for number in (5.0, 0.8)),
)
"""One transition: latent 1, action 2, next latent 3, goal 4, reward 5, discount 0.8."""


def rigged(actor, *critics):
    """A learner of one latent and one action whose targets are these networks."""
    learner = new_learner(1, 1, CONFIG, key=KEY)
    return replace(learner, target_actor=actor, target_critics=critics)


def all_equal(first, second):
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(bool((one == other).all()) for one, other in pairs)


def test_target_is_the_reward_plus_the_discounted_lesser_value():
    learner = rigged(constant_actor(0.0), constant_critic(3.0), constant_critic(7.0))
    assert td_target(learner, NUMBERED, CONFIG, key=KEY)[0] == pytest.approx(5 + 0.8 * 3)


def test_target_looks_from_the_next_latent_at_the_goal_and_the_target_actors_action():
    critic = linear_critic(1.0, 10.0, 100.0)
    actor = eqx.tree_at(
        lambda tree: tree.mlp.layers[-1].weight, constant_actor(0.0), jnp.array([[0.1], [0.01]])
    )
    learner = rigged(actor, critic, critic)
    expected = 5 + 0.8 * (3 + 10 * 4 + 100 * np.tanh(0.1 * 3 + 0.01 * 4))
    assert td_target(learner, NUMBERED, CONFIG, key=KEY)[0] == pytest.approx(expected)


def test_noise_on_the_target_action_is_bounded_and_so_is_the_action():
    critic = linear_critic(0.0, 0.0, 1.0)
    learner = rigged(constant_actor(0.8), critic, critic)
    config = replace(CONFIG, target_policy_noise=100.0, target_noise_clip=0.5)
    many = jax.tree.map(lambda leaf: leaf.repeat(200, axis=0), NUMBERED)
    next_action = (td_target(learner, many, config, key=KEY) - 5) / 0.8
    far = np.abs(next_action - 0.3) < 1e-5
    assert (far | (np.abs(next_action - 1) < 1e-5)).mean() > 0.98
    assert 0.3 < far.mean() < 0.7


def test_noise_on_the_target_action_has_its_spread():
    critic = linear_critic(0.0, 0.0, 1.0)
    learner = rigged(constant_actor(0.0), critic, critic)
    config = replace(CONFIG, target_policy_noise=0.1)
    many = jax.tree.map(lambda leaf: leaf.repeat(2000, axis=0), NUMBERED)
    next_action = (td_target(learner, many, config, key=KEY) - 5) / 0.8
    assert np.std(next_action) == pytest.approx(0.1, rel=0.1)


def test_critic_loss_adds_both_squared_errors():
    critics = (constant_critic(3.0), constant_critic(7.0))
    loss, value = critic_loss(critics, NUMBERED, jnp.array([4.0]))
    assert (float(loss), float(value)) == pytest.approx((1 + 9, 3))


def test_critic_values_the_action_that_was_taken():
    critics = (linear_critic(1.0, 10.0, 100.0),) * 2
    loss, value = critic_loss(critics, NUMBERED, jnp.array([1 + 10 * 4 + 100 * 2.0]))
    assert (float(loss), float(value)) == pytest.approx((0, 241))


def test_actor_loss_is_minus_the_value_of_its_own_action():
    loss = actor_loss(constant_actor(0.5), linear_critic(1.0, 10.0, 100.0), NUMBERED)
    assert loss == pytest.approx(-(1 + 10 * 4 + 100 * 0.5))


@pytest.mark.parametrize("part", ["critics", "actor"])
def test_gradient_of_a_loss_is_its_slope(part, learner, batches, measured):
    batch, target = jax.tree.map(lambda leaf: leaf[0, 0], batches), jnp.arange(6.0)
    losses = {
        "critics": lambda critics: critic_loss(critics, batch, target)[0],
        "actor": lambda actor: 1000 * actor_loss(actor, learner.critics[0], batch),
    }
    loss = jax.jit(jax.value_and_grad(losses[part]))
    _, gradient = loss(getattr(learner, part))
    square = sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(gradient))
    ends = [
        jax.tree.map(lambda x, g, by=by: x + by * g, getattr(learner, part), gradient)
        for by in (0.005 / square, -0.005 / square)
    ]
    slope = (loss(ends[0])[0] - loss(ends[1])[0]) / 0.01
    measured(f"slope, {part}", slope, above=0.95, below=1.05)


def test_critics_learn_alone(learner, batches):
    batch = jax.tree.map(lambda leaf: leaf[0, 0], batches)
    after, _ = jax.jit(partial(update_critics, config=CONFIG))(learner, batch, key=KEY)
    for name in ("actor", "actor_opt_state", "target_actor", "target_critics"):
        assert all_equal(getattr(after, name), getattr(learner, name)), name
    assert not all_equal(after.critics[0], learner.critics[0])
    assert not all_equal(after.critics[1], learner.critics[1])
    assert after.num_updates == 1


def test_actor_learns_to_do_what_the_critic_values(learner, batches, measured):
    batch = jax.tree.map(lambda leaf: leaf[0, 0], batches)
    after, _ = jax.jit(partial(update_actor_and_targets, config=CONFIG))(learner, batch)
    before, now = (
        actor_loss(each.actor, learner.critics[0], batch) for each in (learner, after)
    )
    measured("loss less", before - now, above=0)
    assert all_equal(after.critics, learner.critics)


def test_targets_take_in_a_share_tau_of_the_new_weights(learner, batches):
    batch = jax.tree.map(lambda leaf: leaf[0, 0], batches)
    after, _ = jax.jit(partial(update_actor_and_targets, config=CONFIG))(learner, batch)
    for target, followed in (("target_actor", "actor"), ("target_critics", "critics")):
        for old, new, mixed in zip(
            *(
                jax.tree.leaves(tree)
                for tree in (
                    getattr(learner, target),
                    getattr(after, followed),
                    getattr(after, target),
                )
            ),
            strict=True,
        ):
            np.testing.assert_allclose(mixed, 0.75 * old + 0.25 * new, atol=1e-6)


def test_many_updates_at_once_are_the_same_as_one_after_another(learner, batches, measured):
    at_once, _ = update_many(learner, batches, CONFIG, key=KEY)
    critics_of = jax.jit(partial(update_critics, config=CONFIG))
    actor_of = jax.jit(partial(update_actor_and_targets, config=CONFIG))
    for cycle in range(3):
        for index in range(2):
            batch = jax.tree.map(lambda leaf, at=(cycle, index): leaf[at], batches)
            learner, _ = critics_of(learner, batch, key=KEY)
        learner, _ = actor_of(learner, batch)
    pairs = zip(jax.tree.leaves(at_once), jax.tree.leaves(learner), strict=True)
    apart = max(float(jnp.abs(one - other).max()) for one, other in pairs)
    measured("furthest apart", apart, below=1e-5)


def test_actor_learns_once_in_policy_delay_updates(learner, batches):
    after, _ = update_many(learner, batches, CONFIG, key=KEY)
    assert after.num_updates == 6
    assert after.critic_opt_state[0].count == 6
    assert after.actor_opt_state[0].count == 3


def test_metrics_are_named_means(learner, batches):
    _, metrics = update_many(learner, batches, CONFIG, key=KEY)
    assert set(metrics) == {"td3/critic_loss", "td3/value", "td3/actor_loss"}
    assert all(value.shape == () for value in metrics.values())


def test_new_targets_are_what_they_follow():
    learner = new_learner(2, 2, CONFIG, key=KEY)
    assert all_equal(learner.target_actor, learner.actor)
    assert all_equal(learner.target_critics, learner.critics)
    assert not all_equal(learner.critics[0], learner.critics[1])
