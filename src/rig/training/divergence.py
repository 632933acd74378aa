"""Watching a run for what can't come right again, once in every round of practice.

=================  =========================================================================
a number is lost   a loss or a weight is not finite
a critic explodes  it expects more than any return can be: the largest reward there is, for
                   ever, is worth ``1 / (1 - gamma)`` of itself
latents are dead   all together tell less of an image than a hundred-thousandth of a nat: a
                   network that was never fitted tells more
=================  =========================================================================
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from rig.config import Config
from rig.errors import DivergedError
from rig.replay.buffer import SampledTransitions
from rig.training.learn import make_reward
from rig.training.state import TrainState


NUM_TRANSITIONS = 1000
"""Transitions that the largest reward is looked for in."""
MOST_RETURNS = 10.0
"""A critic may expect so many times the largest return before it is called exploded."""
LEAST_NATS = 1e-5
"""Latents that tell less of an image have collapsed."""


def check_divergence(state: TrainState, config: Config, metrics: Mapping[str, float]) -> None:
    """Raises DivergedError if a round has led to where no learning leads back from.

    Args:
        state: After the round. Not modified: what is looked at is drawn from a seed of its own.
        config: Every setting.
        metrics: Of the round.
    """
    if not bool(all_finite(state.policy.learner)):
        raise DivergedError("a weight of actor or critic is not finite: learning diverged")
    rng = np.random.default_rng(state.num_env_steps)
    sampled = state.replay.sample(NUM_TRANSITIONS, rng=rng)
    if not config.is_end_to_end:
        check_dead_latents(sampled)
    if "td3/value" in metrics:
        goals = state.policy.space.imagine(NUM_TRANSITIONS, rng=rng)
        reward_of = make_reward(config.reward, state.policy.space, state.replay)
        largest = float(np.abs(reward_of(sampled, goals)).max()) / (1 - config.td3.gamma)
        check_exploded_critic(metrics["td3/value"], largest)


@jax.jit
def all_finite(tree: object) -> jax.Array:
    """Whether every number of a tree is finite."""
    leaves = [jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]
    return jnp.stack(leaves).all()


def check_exploded_critic(value: float, largest_return: float) -> None:
    """Raises DivergedError if a mean value is far beyond any return."""
    if abs(value) > MOST_RETURNS * max(largest_return, 1.0):
        raise DivergedError(
            f"the critic expects {value:.3g}, and no return is beyond {largest_return:.3g}: it "
            "exploded; lower --td3.learning-rate or --td3.gamma"
        )


def check_dead_latents(sampled: SampledTransitions) -> None:
    """Raises DivergedError if the latents of what was seen have collapsed."""
    nats = information_nats(sampled.next_latent, sampled.next_log_std)
    if nats < LEAST_NATS:
        raise DivergedError(
            f"the latents tell {nats:.2g} nats of an image: they collapsed; lower --vae.beta, "
            "or raise --vae.num-fit-steps"
        )


def information_nats(
    latents: Float32[np.ndarray, "rows latent"], log_stds: Float32[np.ndarray, "rows latent"]
) -> float:
    """What Gaussian latents tell of an image: log(1 + signal / noise) / 2, added up [nats]."""
    signal, noise = latents.var(axis=0), np.exp(2 * log_stds).mean(axis=0)
    return float(0.5 * np.log1p(signal / noise).sum())
