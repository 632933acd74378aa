"""The variational autoencoder: images to latents and back.

==============  ==============================  ==========================================
architecture    encoder                         decoder
==============  ==============================  ==========================================
patches         layers of patches               layers of patches, to the image
keypoints       where things of a colour are    a perceptron, to the principal components
feature_points  where learned features are      a perceptron, to the principal components
==============  ==============================  ==========================================

Source: Nair et al. 2018, section 4.1. Differs: the decoder adds to a fixed base, the mean of
the first images, because the background never moves and the fit then starts with it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from rig.config import VAEConfig
from rig.nn.layers import Perceptron
from rig.nn.patches import PatchDecoder, PatchEncoder
from rig.representation.feature_points import FeaturePointEncoder
from rig.representation.keypoints import KeypointEncoder, calibrate, find_colours
from rig.representation.output_basis import Numbers, OutputBasis, PatchBasis, principal_basis


Encoder = PatchEncoder | KeypointEncoder | FeaturePointEncoder
Decoder = PatchDecoder | Perceptron
Rows = Float[Array | np.ndarray, "*B latent"]


class Posterior(eqx.Module):
    """A diagonal Gaussian over latents."""

    mean: Float[Array, " latent"]
    log_std: Float[Array, " latent"]

    def kl_to_standard_normal(self) -> Float[Array, "*B latent"]:
        """KL(q || N(0, 1)) of each dimension [nats], in closed form."""
        return jnp.asarray(kl_nats_of(self.mean, self.log_std))

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " latent"]:
        """One draw, differentiable in mean and spread."""
        return self.mean + jnp.exp(self.log_std) * jax.random.normal(key, self.mean.shape)


class VAE(eqx.Module):
    """Images to latents and back."""

    encoder: Encoder
    decoder: Decoder
    output_basis: OutputBasis
    """What the decoder paints on."""
    base: Numbers
    """What is there before it paints."""
    scale: Float[Array, ""]
    """What the decoder's output is multiplied by."""
    likelihood: Literal["bernoulli", "gaussian"] = eqx.field(static=True)
    latent_dim: int = eqx.field(static=True)

    def encode(self, image: Float[Array, "H W 3"]) -> Posterior:
        """The posterior over the latents of an image with values in [0, 1]."""
        return Posterior(*self.encoder(image))

    def decode_logits(self, latent: Float[Array, " latent"]) -> Numbers:
        """A latent on the canvas: pixel values, or for Bernoulli their logits."""
        base, scale = jax.lax.stop_gradient((self.base, self.scale))
        return base + scale * self.decoder(latent)

    def decode(self, latent: Float[Array, " latent"]) -> Float[Array, "H W 3"]:
        """The image of a latent, with values in [0, 1]."""
        painted = self.decode_logits(latent)
        numbers = painted if self.likelihood == "gaussian" else jax.nn.sigmoid(painted)
        return jnp.clip(self.output_basis.show(numbers) + self.output_basis.background, 0, 1)


def make_vae(
    config: VAEConfig,
    images: UInt8[np.ndarray, "N H W 3"],
    *,
    key: PRNGKeyArray,
    rng: np.random.Generator,
) -> VAE:
    """A VAE that knows the mean of the images, their canvas and the colours of what moves."""
    mean_image = jnp.asarray(images.mean(axis=0, dtype=np.float64) / 255, dtype=jnp.float32)
    if config.architecture == "patches":
        return vae_template(config, PatchBasis(), mean_image, key=key)
    output_basis = principal_basis(images, config.num_components, rng=rng)
    if config.architecture == "feature_points":
        return vae_template(config, output_basis, mean_image, key=key)
    colours = find_colours(images, config.latent_dim // 2, rng=rng)
    vae = vae_template(config, output_basis, mean_image, key=key)
    return replace(vae, encoder=calibrate(KeypointEncoder(colours), images))


def vae_template(
    config: VAEConfig,
    output_basis: OutputBasis,
    mean_image: Float[Array, "H W 3"],
    *,
    key: PRNGKeyArray,
) -> VAE:
    """A VAE with fresh networks on a canvas."""
    base = output_basis.put(
        mean_image if config.likelihood == "gaussian" else logit(mean_image)
    )
    encoder, decoder = MAKERS[config.architecture](config, mean_image, base.shape[0], key=key)
    return VAE(
        encoder, decoder, output_basis, base, jnp.ones(()), config.likelihood, config.latent_dim
    )


def new_patches(
    config: VAEConfig, mean_image: Float[Array, "H W 3"], _size: int, *, key: PRNGKeyArray
) -> tuple[PatchEncoder, PatchDecoder]:
    """Encoder and decoder of patch layers."""
    encoder_key, decoder_key = jax.random.split(key)
    side, size = len(mean_image), config.latent_dim
    return (
        PatchEncoder(mean_image, config.channels, size, key=encoder_key),
        PatchDecoder(side, config.channels, size, key=decoder_key),
    )


def new_keypoints(
    config: VAEConfig, _mean_image: Float[Array, "H W 3"], size: int, *, key: PRNGKeyArray
) -> tuple[KeypointEncoder, Perceptron]:
    """An encoder of places, all of black things, and a painter of principal components."""
    hidden = config.hidden_size
    return (
        KeypointEncoder(jnp.zeros((config.latent_dim // 2, 3))),
        Perceptron((config.latent_dim, hidden, hidden, size), key=key),
    )


def new_feature_points(
    config: VAEConfig, mean_image: Float[Array, "H W 3"], size: int, *, key: PRNGKeyArray
) -> tuple[FeaturePointEncoder, Perceptron]:
    """An encoder of learned places, and a painter of principal components."""
    encoder_key, decoder_key = jax.random.split(key)
    hidden = config.hidden_size
    return (
        FeaturePointEncoder(mean_image, config.latent_dim // 2, key=encoder_key),
        Perceptron((config.latent_dim, hidden, hidden, size), key=decoder_key),
    )


Maker = Callable[..., tuple[Encoder, Decoder]]
MAKERS: dict[str, Maker] = {
    "patches": new_patches,
    "keypoints": new_keypoints,
    "feature_points": new_feature_points,
}


def kl_nats_of(mean: Rows, log_std: Rows) -> Rows:
    """KL(N(mean, std) || N(0, 1)) of each dimension [nats], in closed form."""
    return 0.5 * (jnp.exp(2 * log_std) + mean**2 - 1 - 2 * log_std)


def logit(image: Float[Array, "H W 3"]) -> Float[Array, "H W 3"]:
    """The inverse of the sigmoid, with pixels kept off 0 and 1."""
    pixel = jnp.clip(image, LOGIT_MARGIN, 1 - LOGIT_MARGIN)
    return jnp.log(pixel) - jnp.log1p(-pixel)


def to_float(image: UInt8[Array, "*B H W 3"]) -> Float[Array, "*B H W 3"]:
    """Pixels in [0, 1]."""
    return image.astype(jnp.float32) / 255


def to_uint8(image: Float[Array, "*B H W 3"]) -> UInt8[Array, "*B H W 3"]:
    """Pixels in 0 .. 255."""
    return jnp.round(255 * jnp.clip(image, 0, 1)).astype(jnp.uint8)


LOGIT_MARGIN = 0.01
"""How near to 0 and 1 a pixel of the base may come, under the Bernoulli likelihood."""
