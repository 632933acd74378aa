"""An encoder whose means are known already: a fit changes only its spread and the decoder."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rig.nn.layers import MeanAndLogStd
from rig.representation.quantile_keypoints import QuantileKeypointEncoder


class FixedMeans(eqx.Module):
    """The posterior of an encoder whose means are known: only its spread is fitted."""

    log_std: Float[Array, " latent"]

    def __call__(self, mean: Float[Array, " latent"]) -> MeanAndLogStd:
        """Return the mean, and the log standard deviation."""
        return mean, self.log_std


@eqx.filter_jit
def fixed_means(encoder: QuantileKeypointEncoder, images: Array) -> Array:
    """Return the means of images, which no fit changes."""
    return jax.vmap(encoder)(images.astype(jnp.float32) / 255)[0]
