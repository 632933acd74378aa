"""Quantile keypoints: where what moves is, and its shape, color by color.

An image is put under the light of the background image
(``illumination.py``). A pixel that still differs from the background, by
more than its noise, has moved. Moved pixels are shared out among colors, which were clustered
from moved pixels. The mass of each color gives its place and its shape
(``slabs.py``). Latents are the directions of these numbers in which images
differ more than light and noise explain (``signal_directions.py``).

So two objects of one color need no identity, and the turn of an object or the curve of a rope
is in its shape. A color that is not visible stands at its usual place, so that it adds no
distance.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rig.nn.layers import MeanAndLogStd
from rig.representation.illumination import DARK, Illumination, blur, planes_of
from rig.representation.slabs import NUM_FEATURES, slab_features


NUM_COLORS = 8
"""Colors that moved pixels are shared out among."""
SHARPNESS = 160.0
"""Inverse temperature of the softmax over colors, per squared distance of RGB in [0, 1]."""
REACH = 12.0
"""A pixel at this inverse squared distance from its nearest color counts for 1/e."""
MIN_Z_SQUARED = 3.0
"""Squared standard deviations per channel below which a pixel is background."""
KNEE = 4.0
"""Squared standard deviations per channel above that at which a pixel counts half."""
MIN_PIXELS = 2.0
"""Moved pixels of a color at which its place and shape count half."""
TRACE = 1e-7
"""Mass added to every pixel, so that an empty color has a place."""
INITIAL_LOG_STD = -2.0
"""Log standard deviation of every latent before the fit."""


class MovingColors(eqx.Module):
    """The moved mass of each color, its place and its shape."""

    illumination: Illumination
    colors: Float[Array, "K 3"]
    """RGB in [0, 1] under the light of the background."""
    usual: Float[Array, "K features"]
    """Place and shape of each color on average; those of a color that is not visible."""

    def motion(self, image: Float[Array, "H W 3"]) -> tuple[Array, Array, Array]:
        """Return each pixel's log ratio to the background [3 H W], and whether it moved.

        And how far the image is off by the camera's shaking, down and right [pixels].
        """
        relit = self.illumination.relit(255 * jnp.moveaxis(image, -1, 0))
        ratio, offset = self.illumination.steadied(relit)
        return ratio, share_moved(blur(self.illumination.z_squared(ratio))), offset

    def pixels(self, ratio: Float[Array, "3 H W"]) -> Float[Array, "3 H W"]:
        """Return each pixel's color under the background's light, from its log ratio."""
        background = planes_of(self.illumination.background)
        return (jnp.exp(jnp.minimum(background + ratio, 5.7)) - DARK) / 255

    def masses(self, image: Float[Array, "H W 3"]) -> tuple[Float[Array, "K H W"], Array]:
        """Return how much each pixel moved, shared out among the colors.

        And how far the image is off by the camera's shaking, down and right [pixels].
        """
        ratio, moved, offset = self.motion(image)
        side = len(image)
        flat = self.pixels(ratio).reshape(3, -1)
        half = self.colors @ flat - jnp.sum(self.colors**2, axis=1, keepdims=True) / 2
        nearest = half.max(axis=0)
        share = jnp.exp(2 * SHARPNESS * (half - nearest))
        distance = jnp.maximum(jnp.sum(flat**2, axis=0) - 2 * nearest, 0)
        worth = moved.reshape(-1) * jnp.exp(-REACH * distance) / share.sum(axis=0)
        return (share * worth + TRACE).reshape(-1, side, side), offset

    def __call__(self, image: Float[Array, "H W 3"]) -> tuple[Array, Array]:
        """Return place and shape of each color, and how many pixels of it moved."""
        # Without the barrier, XLA computes the masses once for each of their sums.
        mass, offset = jax.lax.optimization_barrier(  # type: ignore[no-untyped-call]
            self.masses(image)
        )
        num_pixels = mass.sum(axis=(1, 2))
        shape = slab_features(mass)
        shape = shape.at[:, :2].add(-2 * offset[::-1] / len(image))
        is_visible = num_pixels / (num_pixels + MIN_PIXELS)
        return self.usual + is_visible[:, None] * (shape - self.usual), num_pixels


def share_moved(z_squared: Float[Array, "H W"]) -> Float[Array, "H W"]:
    """Return how surely each pixel moved, given its squared deviation over all channels."""
    excess = jnp.maximum(z_squared / 3 - MIN_Z_SQUARED, 0)
    return excess / (excess + KNEE)


class QuantileKeypointEncoder(eqx.Module):
    """Encoder of an image to latents whose distance counts what matters."""

    colors: MovingColors
    mean: Float[Array, " features"]
    matrix: Float[Array, "features latent"]
    log_std: Float[Array, " latent"]

    def __call__(self, image: Float[Array, "H W 3"]) -> MeanAndLogStd:
        """Return the posterior's mean and log standard deviation."""
        fixed = jax.lax.stop_gradient((self.colors, self.mean, self.matrix))
        shape, _ = fixed[0](image)
        return (shape.reshape(-1) - fixed[1]) @ fixed[2], self.log_std

    def attention(self, image: Float[Array, "H W 3"]) -> Float[Array, "K H W"]:
        """Return how much each pixel counts for each color."""
        return self.colors.masses(image)[0]

    def background_image(self) -> Float[Array, "H W 3"]:
        """Return the background, with values in [0, 1]."""
        levels = jnp.exp(self.colors.illumination.background) - DARK
        return jnp.clip(levels / 255, 0, 1)


def blank_encoder(side: int, latent_dim: int) -> QuantileKeypointEncoder:
    """Return an encoder of the right shapes that has not been fitted."""
    features = NUM_COLORS * NUM_FEATURES
    illumination = Illumination(
        jnp.zeros((side, side, 3)),
        jnp.ones((side, side)),
        jnp.zeros(()),
        jnp.ones((side, side, 6)),
        jnp.zeros(()),
    )
    colors = MovingColors(
        illumination, jnp.zeros((NUM_COLORS, 3)), jnp.zeros((NUM_COLORS, NUM_FEATURES))
    )
    return QuantileKeypointEncoder(
        colors,
        jnp.zeros(features),
        jnp.zeros((features, latent_dim)),
        jnp.full(latent_dim, INITIAL_LOG_STD),
    )
