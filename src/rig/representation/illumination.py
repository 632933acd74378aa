"""Illumination: an image as it would look under the light of the background image.

The log ratio of an image to the background holds three things: the camera's gain, one number
per channel; soft shadows, which are smooth and grey; and what moved, which is neither. The gain
is a robust mean of the ratio (Geman and McClure 1987: weights that forget outliers). A shadow
is the ratio's mean over a neighbourhood, over the pixels that nothing covers (normalised
convolution, Knutsson and Westin 1993). What remains is compared with its own noise and the
covariance of that noise between channels: where light changes, brightness says little and color
says much. If the camera shakes, what its shaking does to the background's edges is taken away
before that (``shake.py``).
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32

from rig.representation.shake import edges_of, moved_by, offset_of


DARK = 8.0
"""Levels added before the logarithm. Without it, the noise of dark pixels has no bound."""
GAIN_STRIDE = 3
"""The gain is computed from one pixel of this many in each direction."""
GAIN_SCALES = (0.4, 0.2, 0.1, 0.1)
"""Log ratios beyond which a pixel is an outlier to the gain, from coarse to fine."""
POOL = 2
"""Shadows are computed from an image that is this many times smaller."""
CELL_PX = 4
"""Pixels per cell of the grid on which shadows are means."""
SHADOW_SIGMA = 0.09
"""Size of the neighbourhood of a shadow's mean, as a fraction of the image's side."""
MAX_SHADOW = 0.6
"""Log ratio beyond which nothing is a shadow."""
MAX_TINT = 0.10
"""Difference of a channel from grey, in log ratio, beyond which nothing is a shadow."""
SHADOW_MARGIN = 0.2
"""Difference from its neighbourhood, in log ratio, beyond which a pixel is no shadow."""


class Illumination(eqx.Module):
    """The background image, its noise, and how to see other images under its light."""

    background: Float[Array, "H W 3"]
    """Logarithms of levels, ``DARK`` added."""
    visible_share: Float[Array, "H W"]
    """Fraction of images in which each pixel shows the background."""
    noise: Float[Array, ""]
    """Standard deviation of the background's noise [levels]."""
    precision: Float[Array, "H W 6"]
    """Inverse covariance of the noise of each pixel: rr, gg, bb, rg, rb, gb."""
    shaking_px: Float[Array, ""]
    """Standard deviation of the camera's shaking along an axis [pixels]; 0: it stands still."""

    def __call__(self, levels: Float[Array, "H W 3"]) -> Float[Array, "H W 3"]:
        """Return the log ratio to the background without gain, shadows and shaking.

        Args:
            levels: An image with values in 0 .. 255.
        """
        return jnp.moveaxis(self.of_planes(jnp.moveaxis(levels, -1, 0)), 0, -1)

    def of_planes(self, levels: Float[Array, "3 H W"]) -> Float[Array, "3 H W"]:
        """Return the same of an image that is given by its channels, which is faster."""
        return self.steadied(self.relit(levels))[0]

    def relit(self, levels: Float[Array, "3 H W"]) -> Float[Array, "3 H W"]:
        """Return the log ratio to the background without gain and shadows."""
        ratio = jnp.log(levels + DARK) - planes_of(self.background)
        ratio = ratio - self.gain(ratio)[:, None, None]
        return ratio - self.shadow(ratio)

    def gain(self, ratio: Float[Array, "3 H W"]) -> Float[Array, " 3"]:
        """Return the robust mean of the log ratio of each channel."""
        some = ratio[:, ::GAIN_STRIDE, ::GAIN_STRIDE].reshape(3, -1)
        share = self.visible_share[::GAIN_STRIDE, ::GAIN_STRIDE].reshape(-1)
        gain = jnp.zeros(3)
        for scale in GAIN_SCALES:
            outlying = sum((some[i] - gain[i]) ** 2 for i in range(3)) / scale**2
            weight = share / (1 + outlying) ** 2
            gain = some @ weight / jnp.sum(weight)
        return gain

    def shadow(self, ratio: Float[Array, "3 H W"]) -> Float[Array, "H W"]:
        """Return the smooth grey part of a log ratio."""
        side = ratio.shape[-1]
        pairs = ratio[:, ::POOL] + ratio[:, 1::POOL]
        small = (pairs[..., ::POOL] + pairs[..., 1::POOL]) / POOL**2
        grey = (small[0] + small[1] + small[2]) / 3
        tint = jnp.maximum(
            jnp.maximum(jnp.abs(small[0] - grey), jnp.abs(small[1] - grey)),
            jnp.abs(small[2] - grey),
        )
        is_grey = jax.nn.sigmoid((MAX_TINT - tint) / 0.015)
        is_grey *= jax.nn.sigmoid((MAX_SHADOW - jnp.abs(grey)) / 0.05)
        down, up = shadow_grid(side)
        rough = up[0] @ neighbourhood_mean(grey, is_grey, down) @ up[0].T
        is_near = jax.nn.sigmoid((SHADOW_MARGIN - jnp.abs(grey - rough)) / 0.03)
        return up[1] @ neighbourhood_mean(grey, is_grey * is_near, down) @ up[1].T

    def steadied(self, ratio: Float[Array, "3 H W"]) -> tuple[Array, Float[Array, "2"]]:
        """Return a log ratio without shaking, and how far the image is off [pixels].

        That is down and right; both are 0 if the camera stands still.
        """

        def steady() -> tuple[Array, Array]:
            offset = self.offset(ratio)
            return ratio - moved_by(offset, edges_of(planes_of(self.background))), offset

        return jax.lax.cond(self.shaking_px > 0, steady, lambda: (ratio, jnp.zeros(2)))

    def offset(self, ratio: Float[Array, "3 H W"]) -> Float[Array, "2"]:
        """Return how far an image seems to be off, down and right [pixels]."""
        return offset_of(ratio, planes_of(self.background), self.visible_share)

    def z_squared(self, ratio: Float[Array, "3 H W"]) -> Float[Array, "H W"]:
        """Return how far each pixel is from the background, in squared standard deviations."""
        red, green, blue = ratio
        rr, gg, bb, rg, rb, gb = (self.precision[..., i] for i in range(6))
        squares = rr * red**2 + gg * green**2 + bb * blue**2
        return squares + 2 * (rg * red * green + rb * red * blue + gb * green * blue)


def planes_of(image: Float[Array, "H W 3"]) -> Float[Array, "3 H W"]:
    """Return the planes of an image. Not by a transposition, which XLA leaves to each use."""
    return jnp.stack([image[..., i] for i in range(3)])


def neighbourhood_mean(
    field: Float[Array, "h w"], weight: Float[Array, "h w"], down: Float32[np.ndarray, "c h"]
) -> Float[Array, "c c"]:
    """Return the weighted mean of a field around each cell; 0 where nothing has weight."""
    total = down @ (field * weight) @ down.T
    return total / (down @ weight @ down.T + 0.05)


def shadow_grid(
    side: int,
) -> tuple[Float32[np.ndarray, "c h"], tuple[Float32[np.ndarray, "n c"], ...]]:
    """Return Gaussian windows from the small image to cells, and interpolations back.

    The interpolations go to the small image and to the whole one.
    """
    num = -(-side // CELL_PX)
    middle = (np.arange(num) + 0.5) / num
    small, whole = ((np.arange(n) + 0.5) / n for n in (side // POOL, side))
    down = np.exp(-0.5 * ((small - middle[:, None]) / SHADOW_SIGMA) ** 2)
    down /= down.sum(axis=1, keepdims=True)
    up = (
        np.stack([np.interp(at, middle, row) for row in np.eye(num)], 1)
        for at in (small, whole)
    )
    return down.astype(np.float32), tuple(matrix.astype(np.float32) for matrix in up)


def blur(field: Float[Array, "H W"]) -> Float[Array, "H W"]:
    """Blur a field by 1-2-1 along both axes."""
    for axis in (0, 1):
        wide = jnp.pad(field, [(1, 1) if i == axis else (0, 0) for i in (0, 1)], mode="edge")
        parts = [
            jax.lax.slice_in_dim(wide, i, i + field.shape[axis], axis=axis) for i in range(3)
        ]
        field = 0.25 * parts[0] + 0.5 * parts[1] + 0.25 * parts[2]
    return field
