"""Output bases: the coordinates in which a VAE's decoder predicts an image.

=========  ==================================================================================
patches    the image cut into patches (space to depth), for decoders of patch layers
principal  the image's principal components, for perceptrons: a last layer that needs no fit
=========  ==================================================================================

Principal components are the best linear autoencoder (Baldi and Hornik 1989). They are
orthonormal, so the squared error stays the same, and every later product is about twenty times
smaller.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float16, UInt8

from rig.nn.patches import PATCH_SIDES, depth_to_space, space_to_depth


Coefficients = Float[Array, "*coefficients"]
"""An image in the coordinates of an output basis."""
HalfCoefficients = Float16[np.ndarray, "N *coefficients"]
"""Many images in an output basis, at half precision: enough for a camera's 8 bits."""
NUM_BASIS_IMAGES = 3000
"""Images that the principal components are computed from; more would change little."""
OVERSAMPLING = 20
"""Extra random directions, which make the last components accurate (Halko et al. 2011)."""


class PatchBasis(eqx.Module):
    """The image itself, cut into patches."""

    background: float = eqx.field(default=0.0, static=True)
    """0, because patches hold the whole image."""

    def project(self, image: Float[Array, "H W 3"]) -> Coefficients:
        """Return the patches of an image."""
        return space_to_depth(image, PATCH_SIDES[0])

    def reconstruct(self, coefficients: Coefficients) -> Float[Array, "H W 3"]:
        """Return the image of these patches."""
        return depth_to_space(coefficients, PATCH_SIDES[0])


class PrincipalBasis(eqx.Module):
    """The principal components of a set of images."""

    basis: Float[Array, "pixels components"]
    """Orthonormal columns; the last ones are zero if there were few images."""
    background: Float[Array, "H W 3"]
    """The part of the mean image that is orthogonal to all components."""
    side: int = eqx.field(static=True)

    def project(self, image: Float[Array, "H W 3"]) -> Coefficients:
        """Return the components of an image."""
        return image.reshape(-1) @ self.basis

    def reconstruct(self, coefficients: Coefficients) -> Float[Array, "H W 3"]:
        """Return the image with these components, without the background."""
        return (self.basis @ coefficients).reshape(self.side, self.side, 3)


OutputBasis = PatchBasis | PrincipalBasis


def principal_basis(
    images: UInt8[np.ndarray, "N H W 3"], num_components: int, *, rng: np.random.Generator
) -> PrincipalBasis:
    """Compute the principal components of images.

    If there are fewer images than components, the last components are zero, so that the number
    of coefficients does not depend on the images.

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


def to_half(many: Float[Array, "N *coefficients"]) -> HalfCoefficients:
    """Round to half precision on the host: XLA can not do it on a CPU without F16C."""
    return np.asarray(many).astype(np.float16)
