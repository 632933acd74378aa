"""The numbers that a VAE paints with.

=========  ==================================================================================
patches    the image cut into patches (space to depth), for networks of patch layers
principal  the image's components along the directions in which images differ most, for
           plain perceptrons: an encoder's first and a decoder's last layer that need no fit
=========  ==================================================================================

Principal components are the best linear autoencoder (Baldi and Hornik 1989). They keep the
squared error, being orthonormal, and shrink every later product some twenty times.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt8

from rig.nn.patches import PATCH_SIDES, cut, paste


Numbers = Float[Array, "*canvas"]
"""An image on its canvas."""
NUM_BASIS_IMAGES = 3000
"""Images that the principal components are taken from; more would change them little."""
OVERSAMPLING = 20
"""Extra random directions, which make the last components sharp (Halko et al. 2011)."""


class PatchBasis(eqx.Module):
    """Images cut into patches."""

    background: float = eqx.field(default=0.0, static=True)
    """Patches hold all of an image."""

    def put(self, image: Float[Array, "H W 3"]) -> Numbers:
        """An image, onto the canvas."""
        return cut(image, PATCH_SIDES[0])

    def show(self, numbers: Numbers) -> Float[Array, "H W 3"]:
        """The image that the numbers stand for, less the background."""
        return paste(numbers, PATCH_SIDES[0])


class PrincipalBasis(eqx.Module):
    """Components of images along their principal directions."""

    basis: Float[Array, "pixels components"]
    """Orthonormal columns, the last ones zero if there were few images."""
    background: Float[Array, "H W 3"]
    """What of the mean image no component holds."""
    side: int = eqx.field(static=True)

    def put(self, image: Float[Array, "H W 3"]) -> Numbers:
        """An image, onto the canvas."""
        return image.reshape(-1) @ self.basis

    def show(self, numbers: Numbers) -> Float[Array, "H W 3"]:
        """The image that the numbers stand for, less the background."""
        return (self.basis @ numbers).reshape(self.side, self.side, 3)


OutputBasis = PatchBasis | PrincipalBasis


def principal_basis(
    images: UInt8[np.ndarray, "N H W 3"], num_components: int, *, rng: np.random.Generator
) -> PrincipalBasis:
    """The canvas of these images' principal components.

    Fewer images than components leave the last ones empty, so that the canvas has one size.

    Source: Halko et al. 2011, algorithms 4.3 and 5.1, with one power iteration.
    """
    some = images[rng.permutation(len(images))[:NUM_BASIS_IMAGES]]
    centred = some.reshape(len(some), -1) / np.float32(255)
    mean = centred.mean(axis=0)
    centred -= mean
    num = min(num_components, len(some))
    directions = rng.standard_normal((centred.shape[1], num + OVERSAMPLING), dtype=np.float32)
    span, _ = np.linalg.qr(centred.T @ (centred @ directions))
    _, _, rotation = np.linalg.svd(centred @ span, full_matrices=False)
    basis = (span @ rotation.T)[:, :num]
    basis = np.pad(basis, [(0, 0), (0, num_components - num)])
    background = (mean - basis @ (basis.T @ mean)).reshape(images.shape[1:])
    return PrincipalBasis(
        jnp.asarray(basis, jnp.float32), jnp.asarray(background, jnp.float32), images.shape[1]
    )
