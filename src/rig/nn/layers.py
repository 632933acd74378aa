"""Layers that encoders and decoders are built from."""

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray


MeanAndLogStd = tuple[Float[Array, " latent"], Float[Array, " latent"]]
"""Mean and log standard deviation of a Gaussian posterior."""
LAST_LAYER_SCALE = 0.1
"""Scale of the last layer of encoder and decoder, so that both start near 0."""


class RowLinear(eqx.Module):
    """One linear map applied to every row, for example to every cell of a grid."""

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"]

    def __init__(self, in_size: int, out_size: int, *, key: PRNGKeyArray) -> None:
        bound = (6 / in_size) ** 0.5  # He et al. 2015, uniform
        self.weight = jax.random.uniform(key, (in_size, out_size), minval=-bound, maxval=bound)
        self.bias = jax.numpy.zeros(out_size)

    def __call__(self, rows: Float[Array, "*cells in"]) -> Float[Array, "*cells out"]:
        """Map each row."""
        return rows @ self.weight + self.bias

    def shrunk(self) -> "RowLinear":
        """Return a copy with smaller weights, so that its output starts near 0."""
        return eqx.tree_at(lambda linear: linear.weight, self, self.weight * LAST_LAYER_SCALE)


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
        """Return the output for one row."""
        for layer in self.layers[:-1]:
            row = jax.nn.relu(layer(row))
        return self.layers[-1](row)
