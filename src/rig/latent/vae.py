"""The variational autoencoder: images to latents and back.

A group is a small VAE. The first sees the image; each further group sees what those before it
left unexplained, and what it decodes is added to theirs::

    shown_1 = image - mean image        painted = decode_1(z_1) + decode_2(z_2) + ...
    shown_k = image - reconstruction of groups 1 .. k-1

With one group this is the beta-VAE of RIG. Source: Nair et al. 2018, section 4.1.
Differs: the decoders add to a fixed base image, the mean of the first images, because the
background never moves and the fit then starts with it.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from rig.config import VAEConfig
from rig.latent.patches import (
    PATCH_SIDES,
    PatchDecoder,
    PatchEncoder,
    Patches,
    cut,
    paste,
)


class Posterior(eqx.Module):
    """A diagonal Gaussian over latents."""

    mean: Float[Array, " latent"]
    log_std: Float[Array, " latent"]

    def kl_to_standard_normal(self) -> Float[Array, " latent"]:
        """KL(q || N(0, 1)) of each dimension [nats], in closed form."""
        return kl_nats_of(self.mean, self.log_std)

    def sample(self, *, key: PRNGKeyArray) -> Float[Array, " latent"]:
        """One draw, differentiable in mean and spread."""
        return self.mean + jnp.exp(self.log_std) * jax.random.normal(key, self.mean.shape)


class Group(eqx.Module):
    """A few latents, the encoder that finds them and the decoder that paints them."""

    encoder: PatchEncoder
    decoder: PatchDecoder

    def __init__(
        self, image_size: int, channels: tuple[int, int], latent_size: int, *, key: PRNGKeyArray
    ) -> None:
        encoder_key, decoder_key = jax.random.split(key)
        self.encoder = PatchEncoder(image_size, channels, latent_size, key=encoder_key)
        self.decoder = PatchDecoder(image_size, channels, latent_size, key=decoder_key)


class VAE(eqx.Module):
    """Images to latents and back, group by group."""

    groups: tuple[Group, ...]
    base: Patches
    """The image that all zeros decode to at first, before the link."""
    likelihood: Literal["bernoulli", "gaussian"] = eqx.field(static=True)

    def __init__(
        self,
        config: VAEConfig,
        mean_image: Float[Array, "H W 3"],
        *,
        key: PRNGKeyArray,
    ) -> None:
        keys = jax.random.split(key, len(config.group_sizes))
        self.groups = tuple(
            Group(mean_image.shape[0], config.channels, size, key=group_key)
            for size, group_key in zip(config.group_sizes, keys, strict=True)
        )
        self.likelihood = config.likelihood
        shown = mean_image if config.likelihood == "gaussian" else logit(mean_image)
        self.base = cut(shown, PATCH_SIDES[0])

    def encode(self, image: Float[Array, "H W 3"]) -> Posterior:
        """The posterior over the latents of an image with values in [0, 1]."""
        patches, painted = cut(image, PATCH_SIDES[0]), self.base
        means, log_stds = [], []
        for group in self.groups:
            mean, log_std = group.encoder(patches - self.link(painted))
            painted = painted + group.decoder(mean)
            means.append(mean)
            log_stds.append(log_std)
        return Posterior(jnp.concatenate(means), jnp.concatenate(log_stds))

    def unexplained(self, image: Float[Array, "H W 3"], num_groups: int) -> Patches:
        """What the first groups leave of an image, in patches: what the next one is shown."""
        patches, painted = cut(image, PATCH_SIDES[0]), self.base
        for group in self.groups[:num_groups]:
            mean, _ = group.encoder(patches - self.link(painted))
            painted = painted + group.decoder(mean)
        return patches - self.link(painted)

    def decode(self, latent: Float[Array, " latent"]) -> Float[Array, "H W 3"]:
        """The image of a latent, with values in [0, 1]."""
        painted = self.base + sum(self.paint(latent))
        return paste(jnp.clip(self.link(painted), 0, 1), PATCH_SIDES[0])

    def paint(self, latent: Float[Array, " latent"]) -> list[Patches]:
        """What each group adds to the base image."""
        parts = jnp.split(latent, self.borders())
        return [group.decoder(part) for group, part in zip(self.groups, parts, strict=True)]

    def borders(self) -> list[int]:
        """Where one group's latents end and the next one's begin."""
        ends, total = [], 0
        for group in self.groups[:-1]:
            total += group.decoder.stem.weight.shape[0]
            ends.append(total)
        return ends

    def link(self, painted: Patches) -> Patches:
        """What was painted, as pixel values."""
        return painted if self.likelihood == "gaussian" else jax.nn.sigmoid(painted)


def kl_nats_of(
    mean: Float[Array, "*B latent"], log_std: Float[Array, "*B latent"]
) -> Float[Array, "*B latent"]:
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
"""How near to 0 and 1 a pixel of the base image may come, under the Bernoulli likelihood."""
