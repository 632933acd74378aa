"""Actor and critic: multilayer perceptrons on a latent and a goal.

Only the end-to-end baseline has an image encoder inside actor and critic
(:mod:`rig.agent.feature_extractor`).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from rig.agent.feature_extractor import FeatureExtractor, Seen


FINAL_BOUND = 3e-3
"""Bound of the last layer's initial weights, so that actions and values start near 0."""
NORM_EPSILON = 1e-5


class Linear(eqx.Module):
    """One linear map applied to every row."""

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"]

    def __init__(self, in_size: int, out_size: int, bound: float, *, key: PRNGKeyArray) -> None:
        self.weight = jax.random.uniform(key, (in_size, out_size), minval=-bound, maxval=bound)
        self.bias = jnp.zeros(out_size)

    def __call__(self, rows: Float[Array, "*B in"]) -> Float[Array, "*B out"]:
        """Map each row."""
        return rows @ self.weight + self.bias


class MLP(eqx.Module):
    """Linear layers with ReLU between them, optionally with layer norm (Ba et al. 2016)."""

    layers: tuple[Linear, ...]
    gains: tuple[Float[Array, " hidden"], ...]
    shifts: tuple[Float[Array, " hidden"], ...]

    def __init__(
        self,
        in_size: int,
        hidden_sizes: tuple[int, ...],
        out_size: int,
        *,
        layer_norm: bool,
        key: PRNGKeyArray,
    ) -> None:
        sizes = (in_size, *hidden_sizes)
        *hidden_keys, last_key = jax.random.split(key, len(sizes))
        hidden = [
            Linear(fan_in, fan_out, fan_in**-0.5, key=layer_key)
            for fan_in, fan_out, layer_key in zip(
                sizes[:-1], sizes[1:], hidden_keys, strict=True
            )
        ]
        self.layers = (*hidden, Linear(sizes[-1], out_size, FINAL_BOUND, key=last_key))
        self.gains = tuple(jnp.ones(size) for size in hidden_sizes) if layer_norm else ()
        self.shifts = tuple(jnp.zeros(size) for size in hidden_sizes) if layer_norm else ()

    def __call__(self, rows: Float[Array, "*B in"]) -> Float[Array, "*B out"]:
        """Return the output for each row."""
        for index, layer in enumerate(self.layers[:-1]):
            rows = layer(rows)
            if self.gains:
                rows = normalise(rows) * self.gains[index] + self.shifts[index]
            rows = jax.nn.relu(rows)
        return self.layers[-1](rows)


def normalise(rows: Float[Array, "*B hidden"]) -> Float[Array, "*B hidden"]:
    """Scale and shift each row to mean 0 and variance 1."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + NORM_EPSILON)


class Actor(eqx.Module):
    """The actor: from a latent and a goal to an action in [-1, 1]."""

    features: FeatureExtractor
    mlp: MLP

    def __init__(
        self,
        features: FeatureExtractor,
        action_size: int,
        hidden_sizes: tuple[int, ...],
        *,
        layer_norm: bool,
        key: PRNGKeyArray,
    ) -> None:
        self.features = features
        self.mlp = MLP(features.size, hidden_sizes, action_size, layer_norm=layer_norm, key=key)

    def __call__(self, latent: Seen, goal: Seen) -> Float[Array, "*B action"]:
        """Return the actions."""
        return jnp.tanh(self.mlp(self.features(latent, goal)))


class Critic(eqx.Module):
    """The critic: from a latent, an action and a goal to the expected return."""

    features: FeatureExtractor
    mlp: MLP

    def __init__(
        self,
        features: FeatureExtractor,
        action_size: int,
        hidden_sizes: tuple[int, ...],
        *,
        layer_norm: bool,
        key: PRNGKeyArray,
    ) -> None:
        self.features = features
        in_size = features.size + action_size
        self.mlp = MLP(in_size, hidden_sizes, 1, layer_norm=layer_norm, key=key)

    def __call__(
        self, latent: Seen, action: Float[Array, "*B action"], goal: Seen
    ) -> Float[Array, "*B"]:
        """Return the values."""
        return self.mlp(jnp.concatenate([self.features(latent, goal), action], axis=-1))[..., 0]
