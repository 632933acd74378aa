"""Checks, once in every round, for divergence that further learning can't undo.

=================  =========================================================================
not finite         a loss or a weight is NaN or inf
critic exploded    it predicts more than any return can be: the largest reward, for ever, is
                   worth ``1 / (1 - gamma)`` of itself
latents collapsed  together they hold less than a hundred-thousandth of a nat about an image:
                   a network that was never fitted holds more
=================  =========================================================================
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from rig.config import Config, decided
from rig.errors import DivergedError
from rig.replay.transitions import SampledTransitions
from rig.training.learn import make_reward
from rig.training.state import TrainState


NUM_TRANSITIONS = 1000
"""Transitions sampled to find the largest reward."""
MOST_RETURNS = 10.0
"""A critic that predicts more than this many times the largest return has exploded."""
LEAST_NATS = 1e-5
"""Latents with less information about an image have collapsed."""


def check_divergence(state: TrainState, config: Config, metrics: Mapping[str, float]) -> None:
    """Raise DivergedError if weights, critic or latents have diverged.

    Args:
        state: After the round. Not modified: what is sampled is drawn from a seed of its own.
        config: Every setting.
        metrics: Of the round.
    """
    if not bool(all_finite(state.agent.learner)):
        raise DivergedError("a weight of actor or critic is not finite: learning diverged")
    rng = np.random.default_rng(state.num_env_steps)
    if not state.replay.num_episodes:
        return
    sampled = state.replay.sample(NUM_TRANSITIONS, rng=rng)
    if sampled.next_log_std.size:
        check_dead_latents(sampled)
    if "td3/value" in metrics:
        representation = state.agent.representation
        goals = representation.imagine(NUM_TRANSITIONS, rng=rng)
        reward_of = make_reward(config.reward, representation, state.replay)
        most = float(np.abs(reward_of(sampled, goals)).max())
        largest = most / (1 - decided(config.td3.gamma))
        check_exploded_critic(metrics["td3/value"], largest)


@jax.jit
def all_finite(tree: object) -> jax.Array:
    """Return whether every number of a tree is finite."""
    leaves = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]
    return jnp.stack(leaves).all()


def check_exploded_critic(value: float, largest_return: float) -> None:
    """Raise DivergedError if a mean value is far beyond any return."""
    if abs(value) > MOST_RETURNS * max(largest_return, 1.0):
        raise DivergedError(
            f"the critic predicts {value:.3g}, and no return is beyond {largest_return:.3g}: "
            "it exploded; lower --td3.learning-rate or --td3.gamma"
        )


def check_dead_latents(sampled: SampledTransitions) -> None:
    """Raise DivergedError if the latents of the sampled frames have collapsed."""
    nats = information_nats(sampled.next_latent, sampled.next_log_std)
    if nats < LEAST_NATS:
        raise DivergedError(
            f"the latents hold {nats:.2g} nats about an image: they collapsed; lower "
            "--vae.beta, or raise --vae.num-fit-steps"
        )


def information_nats(
    latents: Float32[np.ndarray, "rows latent"], log_stds: Float32[np.ndarray, "rows latent"]
) -> float:
    """Return the information of Gaussian latents: sum of log(1 + signal / noise) / 2 [nats]."""
    signal, noise = latents.var(axis=0), np.exp(2 * log_stds).mean(axis=0)
    return float(0.5 * np.log1p(signal / noise).sum())
