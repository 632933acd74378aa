"""Encoder and decoder as plain perceptrons, for images on a principal canvas."""

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from rig.latent.patches import RowLinear, Spread, split_spread


class Perceptron(eqx.Module):
    """Linear layers with ReLU between them; the last one starts small."""

    layers: tuple[RowLinear, ...]

    def __init__(self, sizes: tuple[int, ...], *, key: PRNGKeyArray) -> None:
        keys = jax.random.split(key, len(sizes) - 1)
        layers = [
            RowLinear(fan_in, fan_out, key=layer_key)
            for fan_in, fan_out, layer_key in zip(sizes[:-1], sizes[1:], keys, strict=True)
        ]
        self.layers = (*layers[:-1], layers[-1].shrunk())

    def __call__(self, row: Float[Array, " in"]) -> Float[Array, " out"]:
        """The network's output."""
        for layer in self.layers[:-1]:
            row = jax.nn.relu(layer(row))
        return self.layers[-1](row)


class PerceptronEncoder(eqx.Module):
    """Components of an image to the mean and log standard deviation of a few latents."""

    network: Perceptron

    def __init__(
        self, num_components: int, hidden_size: int, latent_size: int, *, key: PRNGKeyArray
    ) -> None:
        sizes = (num_components, hidden_size, hidden_size, 2 * latent_size)
        self.network = Perceptron(sizes, key=key)

    def __call__(self, components: Float[Array, " components"]) -> Spread:
        """The posterior's mean and log standard deviation."""
        return split_spread(self.network(components))
