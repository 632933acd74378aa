"""The variational autoencoder (VAE): images to latents and back.

==================  ==============================  ======================================
architecture        encoder                         decoder
==================  ==============================  ======================================
patches             patch layers                    patch layers, to the image
quantile_keypoints  place and shape of what moves   a perceptron, to principal components
feature_points      position of learned features    a perceptron, to principal components
==================  ==============================  ======================================

Source: Nair et al. 2018, section 4.1. Differs: the decoder's output is added to the mean of the
first images, because the background never moves and the fit then does not have to learn it.
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
from rig.representation.fixed_means import FixedMeans
from rig.representation.keypoint_fit import fit_keypoints
from rig.representation.output_basis import (
    Coefficients,
    OutputBasis,
    PatchBasis,
    principal_basis,
)
from rig.representation.quantile_keypoints import QuantileKeypointEncoder, blank_encoder


Encoder = PatchEncoder | FeaturePointEncoder | QuantileKeypointEncoder | FixedMeans
Decoder = PatchDecoder | Perceptron
Rows = Float[Array | np.ndarray, "*B latent"]


class Posterior(eqx.Module):
    """A diagonal Gaussian over latents."""

    mean: Float[Array, " latent"]
    log_std: Float[Array, " latent"]

    def kl_to_standard_normal(self) -> Float[Array, "*B latent"]:
        """Return KL(q || N(0, 1)) of each dimension [nats], in closed form."""
        return jnp.asarray(kl_nats_of(self.mean, self.log_std))

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " latent"]:
        """Return one sample, differentiable in mean and log std."""
        return self.mean + jnp.exp(self.log_std) * jax.random.normal(key, self.mean.shape)


class VAE(eqx.Module):
    """A variational autoencoder of images."""

    encoder: Encoder
    decoder: Decoder
    output_basis: OutputBasis
    """Coordinates of the decoder's output."""
    mean_logits: Coefficients
    """Mean of the first images, added to the scaled output of the decoder; not learned."""
    scale: Float[Array, ""]
    """Factor on the decoder's output; not learned."""
    likelihood: Literal["bernoulli", "gaussian"] = eqx.field(static=True)
    latent_dim: int = eqx.field(static=True)

    def encode(self, image: Float[Array, "H W 3"]) -> Posterior:
        """Return the posterior over the latents of an image with values in [0, 1]."""
        return Posterior(*self.encoder(image))

    def decode_logits(self, latent: Float[Array, " latent"]) -> Coefficients:
        """Return the predicted coefficients: of pixel values, or for Bernoulli of logits."""
        mean, scale = jax.lax.stop_gradient((self.mean_logits, self.scale))
        return mean + scale * self.decoder(latent)

    def decode(self, latent: Float[Array, " latent"]) -> Float[Array, "H W 3"]:
        """Return the image of a latent, with values in [0, 1]."""
        logits = self.decode_logits(latent)
        values = logits if self.likelihood == "gaussian" else jax.nn.sigmoid(logits)
        image = self.output_basis.reconstruct(values)
        return jnp.clip(image + self.output_basis.background, 0, 1)


def make_vae(
    config: VAEConfig,
    images: UInt8[np.ndarray, "N H W 3"],
    *,
    key: PRNGKeyArray,
    rng: np.random.Generator,
) -> VAE:
    """Make a VAE with the mean, the output basis and the moving colors of these images."""
    mean_image = jnp.asarray(images.mean(axis=0, dtype=np.float64) / 255, dtype=jnp.float32)
    output_basis: OutputBasis = PatchBasis()
    if config.architecture != "patches":
        output_basis = principal_basis(images, config.num_components, rng=rng)
    vae = vae_template(config, output_basis, mean_image, key=key)
    if config.architecture != "quantile_keypoints":
        return vae
    return replace(vae, encoder=fit_keypoints(images, config.latent_dim, rng=rng))


def vae_template(
    config: VAEConfig,
    output_basis: OutputBasis,
    mean_image: Float[Array, "H W 3"],
    *,
    key: PRNGKeyArray,
) -> VAE:
    """Make a VAE with new networks; quantile keypoints have yet to be fitted."""
    is_gaussian = config.likelihood == "gaussian"
    mean_logits = output_basis.project(mean_image if is_gaussian else logit(mean_image))
    make_networks = NETWORKS[config.architecture]
    encoder, decoder = make_networks(config, mean_image, mean_logits.shape[0], key=key)
    return VAE(
        encoder=encoder,
        decoder=decoder,
        output_basis=output_basis,
        mean_logits=mean_logits,
        scale=jnp.ones(()),
        likelihood=config.likelihood,
        latent_dim=config.latent_dim,
    )


def patch_networks(
    config: VAEConfig, mean_image: Float[Array, "H W 3"], _size: int, *, key: PRNGKeyArray
) -> tuple[PatchEncoder, PatchDecoder]:
    """Make an encoder and a decoder of patch layers."""
    encoder_key, decoder_key = jax.random.split(key)
    side, size = len(mean_image), config.latent_dim
    return (
        PatchEncoder(mean_image, config.channels, size, key=encoder_key),
        PatchDecoder(side, config.channels, size, key=decoder_key),
    )


def quantile_keypoint_networks(
    config: VAEConfig, mean_image: Float[Array, "H W 3"], size: int, *, key: PRNGKeyArray
) -> tuple[QuantileKeypointEncoder, Perceptron]:
    """Make an encoder that has yet to be fitted, and a decoder to ``size`` components."""
    hidden = config.hidden_size
    return (
        blank_encoder(len(mean_image), config.latent_dim),
        Perceptron((config.latent_dim, hidden, hidden, size), key=key),
    )


def feature_point_networks(
    config: VAEConfig, mean_image: Float[Array, "H W 3"], size: int, *, key: PRNGKeyArray
) -> tuple[FeaturePointEncoder, Perceptron]:
    """Make a feature point encoder and a decoder to ``size`` components."""
    encoder_key, decoder_key = jax.random.split(key)
    hidden = config.hidden_size
    return (
        FeaturePointEncoder(mean_image, config.latent_dim // 2, key=encoder_key),
        Perceptron((config.latent_dim, hidden, hidden, size), key=decoder_key),
    )


MakeNetworks = Callable[..., tuple[Encoder, Decoder]]
NETWORKS: dict[str, MakeNetworks] = {
    "patches": patch_networks,
    "quantile_keypoints": quantile_keypoint_networks,
    "feature_points": feature_point_networks,
}
"""How to make the encoder and decoder of each architecture."""


def kl_nats_of(mean: Rows, log_std: Rows) -> Rows:
    """Return KL(N(mean, std) || N(0, 1)) of each dimension [nats], in closed form."""
    return 0.5 * (jnp.exp(2 * log_std) + mean**2 - 1 - 2 * log_std)


def logit(image: Float[Array, "H W 3"]) -> Float[Array, "H W 3"]:
    """Return the inverse of the sigmoid, with pixels first clipped away from 0 and 1."""
    pixel = jnp.clip(image, LOGIT_MARGIN, 1 - LOGIT_MARGIN)
    return jnp.log(pixel) - jnp.log1p(-pixel)


def to_float(image: UInt8[Array, "*B H W 3"]) -> Float[Array, "*B H W 3"]:
    """Convert pixels from 0 .. 255 to [0, 1]."""
    return image.astype(jnp.float32) / 255


def to_uint8(image: Float[Array, "*B H W 3"]) -> UInt8[Array, "*B H W 3"]:
    """Convert pixels from [0, 1] to 0 .. 255, rounded and clipped."""
    return jnp.round(255 * jnp.clip(image, 0, 1)).astype(jnp.uint8)


LOGIT_MARGIN = 0.01
"""Least distance of a mean pixel from 0 and 1 under the Bernoulli likelihood."""
