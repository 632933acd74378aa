"""Goal-conditioned TD3: two critics or one, a delayed actor, smoothed targets.

Source: Fujimoto et al. 2018, algorithm 1. There is no termination: a time limit ends the
episode but not the value, so every target bootstraps (Pardo et al. 2018).
"""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt8

from rig.agent.feature_extractor import make_feature_extractor
from rig.agent.networks import Actor, Critic
from rig.config import TD3Config


Critics = tuple[Critic, ...]
"""Two in TD3; with one it is DDPG with TD3's smoothed targets and delayed actor."""
Network = TypeVar("Network", Actor, Critic)
Metrics = dict[str, Float[Array, ""]]
Rate = float | Float[Array, ""] | None
"""Adam's step size; None stands for the one of the settings."""


Rows = Float[Array, "*U B latent"] | UInt8[Array, "*U B latent"]
"""Latents; images where the agent sees them itself."""


class Transitions(eqx.Module):
    """Batches on the device; the axes before the last one are updates and rows."""

    latent: Rows
    action: Float[Array, "*U B action"]
    next_latent: Rows
    goal: Rows
    reward: Float[Array, "*U B"]
    discount: Float[Array, "*U B"]
    """Gamma to the power of the steps whose rewards are summed; of the next latent's value."""


class Learner(eqx.Module):
    """All that learning changes, as one value."""

    actor: Actor
    critics: Critics
    target_actor: Actor
    target_critics: Critics
    actor_opt_state: optax.OptState
    critic_opt_state: optax.OptState
    num_updates: Int[Array, ""]


def new_learner(
    latent_dim: int, action_size: int, config: TD3Config, *, key: PRNGKeyArray
) -> Learner:
    """Return a learner with fresh networks."""
    actor_key, *critic_keys = jax.random.split(key, 1 + config.num_critics)
    actor = new_network(Actor, latent_dim, action_size, config, key=actor_key)
    critics = tuple(
        new_network(Critic, latent_dim, action_size, config, key=critic_key)
        for critic_key in critic_keys
    )
    optimizer = optax.adam(config.learning_rate)
    return Learner(
        actor=actor,
        critics=critics,
        target_actor=actor,
        target_critics=critics,
        actor_opt_state=optimizer.init(actor),
        critic_opt_state=optimizer.init(critics),
        num_updates=jnp.zeros((), jnp.int32),
    )


def new_network(
    kind: type[Network],
    latent_dim: int,
    action_size: int,
    config: TD3Config,
    *,
    key: PRNGKeyArray,
) -> Network:
    """Return a fresh actor or critic."""
    features = make_feature_extractor(
        latent_dim, config.channels, key=jax.random.fold_in(key, 1)
    )
    sizes = (action_size, config.hidden_sizes)
    return kind(features, *sizes, layer_norm=config.layer_norm, key=key)


def td_target(
    learner: Learner, batch: Transitions, config: TD3Config, *, key: PRNGKeyArray
) -> Float[Array, " B"]:
    """Return the reward plus the discounted least of the target critics' values.

    Source: Fujimoto et al. 2018, equations 10 and 14.
    """
    noise = config.target_policy_noise * jax.random.normal(key, batch.action.shape)
    noise = jnp.clip(noise, -config.target_noise_clip, config.target_noise_clip)
    next_action = jnp.clip(learner.target_actor(batch.next_latent, batch.goal) + noise, -1, 1)
    values = jnp.stack(
        [
            critic(batch.next_latent, next_action, batch.goal)
            for critic in learner.target_critics
        ]
    )
    return batch.reward + batch.discount * values.min(axis=0)


def critic_loss(
    critics: Critics, batch: Transitions, target: Float[Array, " B"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the sum of the critics' mean squared errors, and the first one's mean value."""
    values = [critic(batch.latent, batch.action, batch.goal) for critic in critics]
    errors = [jnp.mean((value - target) ** 2) for value in values]
    return jnp.sum(jnp.stack(errors)), values[0].mean()


def actor_loss(actor: Actor, critic: Critic, batch: Transitions) -> Float[Array, ""]:
    """Return minus the mean value of the actor's actions."""
    return -jnp.mean(critic(batch.latent, actor(batch.latent, batch.goal), batch.goal))


def adam(config: TD3Config, learning_rate: Rate) -> optax.GradientTransformation:
    """Return Adam with a step size, or with the one of the settings."""
    return optax.adam(config.learning_rate if learning_rate is None else learning_rate)


def update_critics(
    learner: Learner,
    batch: Transitions,
    config: TD3Config,
    learning_rate: Rate = None,
    *,
    key: PRNGKeyArray,
) -> tuple[Learner, Metrics]:
    """Take one step of Adam on the critics."""
    target = jax.lax.stop_gradient(td_target(learner, batch, config, key=key))
    (loss, value), gradient = jax.value_and_grad(critic_loss, has_aux=True)(
        learner.critics, batch, target
    )
    updates, opt_state = adam(config, learning_rate).update(gradient, learner.critic_opt_state)
    learner = eqx.tree_at(
        lambda tree: (tree.critics, tree.critic_opt_state, tree.num_updates),
        learner,
        (eqx.apply_updates(learner.critics, updates), opt_state, learner.num_updates + 1),
    )
    return learner, {"td3/critic_loss": loss, "td3/value": value}


def update_actor_and_targets(
    learner: Learner, batch: Transitions, config: TD3Config, learning_rate: Rate = None
) -> tuple[Learner, Metrics]:
    """Take one step of Adam on the actor; move the targets by tau towards the new weights."""
    loss, gradient = jax.value_and_grad(actor_loss)(learner.actor, learner.critics[0], batch)
    updates, opt_state = adam(config, learning_rate).update(gradient, learner.actor_opt_state)
    actor = eqx.apply_updates(learner.actor, updates)
    targets = (learner.target_actor, learner.target_critics)
    targets = optax.incremental_update((actor, learner.critics), targets, config.tau)
    learner = eqx.tree_at(
        lambda tree: (
            tree.actor,
            tree.actor_opt_state,
            tree.target_actor,
            tree.target_critics,
        ),
        learner,
        (actor, opt_state, *targets),
    )
    return learner, {"td3/actor_loss": loss}


@partial(jax.jit, static_argnames="config")
def update_many(
    learner: Learner,
    batches: Transitions,
    config: TD3Config,
    learning_rate: Rate = None,
    *,
    key: PRNGKeyArray,
) -> tuple[Learner, Metrics]:
    """Make many updates in one compiled loop, one batch each; metrics are their means.

    Args:
        learner: The learner before.
        batches: ``[cycles, policy_delay, B, ...]``; each cycle ends with one actor update.
        config: Static: another config is another program.
        learning_rate: Adam's step size; by default the one of the settings.
        key: Draws the noise on the targets' actions.
    """

    def cycle(learner: Learner, inputs: tuple) -> tuple[Learner, Metrics]:
        batches, keys = inputs
        for index in range(config.policy_delay):
            batch = jax.tree.map(lambda leaf, row=index: leaf[row], batches)
            learner, critic_metrics = update_critics(
                learner, batch, config, learning_rate, key=keys[index]
            )
        learner, actor_metrics = update_actor_and_targets(learner, batch, config, learning_rate)
        return learner, critic_metrics | actor_metrics

    num_cycles = batches.reward.shape[0]
    keys = jax.random.split(key, (num_cycles, config.policy_delay))
    learner, metrics = jax.lax.scan(cycle, learner, (batches, keys))
    return learner, jax.tree.map(jnp.mean, metrics)


class UpdateRequest(eqx.Module):
    """The arguments of :func:`update_many`."""

    learner: Learner
    batches: Transitions
    config: TD3Config = eqx.field(static=True)
    learning_rate: Rate
    key: PRNGKeyArray

    def run(self) -> tuple[Learner, Metrics]:
        """Return the learner after the updates, and their metrics."""
        return update_many(
            self.learner, self.batches, self.config, self.learning_rate, key=self.key
        )


@jax.jit
def update_batched(requests: Sequence[UpdateRequest]) -> list[tuple[Learner, Metrics]]:
    """Return what each request's updates make of its learner, in one program mapped over them.

    Learners are stacked and taken apart inside, so that it costs one call whatever their
    number. A learner that diverges changes nothing in the others.

    Args:
        requests: Of the same settings: their arrays have the same shapes.
    """
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *requests)
    updated = jax.vmap(UpdateRequest.run)(stacked)
    return [
        jax.tree.map(lambda leaf, row=index: leaf[row], updated)
        for index in range(len(requests))
    ]
