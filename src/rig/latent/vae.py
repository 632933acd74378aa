"""The variational autoencoder: images to latents and back.

A group is a small VAE. The first sees the image less the mean image; each further group sees
what those before it left unexplained, and what it decodes is added to theirs::

    shown_1 = image - mean image        painted = decode_1(z_1) + decode_2(z_2) + ...
    shown_k = image - reconstruction by groups 1 .. k-1

With one group this is the beta-VAE of RIG. Source: Nair et al. 2018, section 4.1.
Differs: the decoders add to a fixed base, the mean of the first images, because the background
never moves and the fit then starts with it.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from rig.config import VAEConfig
from rig.latent.canvas import Canvas, Numbers, PatchCanvas, principal_canvas
from rig.latent.patches import PatchDecoder, PatchEncoder
from rig.latent.perceptron import Perceptron, PerceptronEncoder


Rows = Float[Array | np.ndarray, "*B latent"]


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

    encoder: PatchEncoder | PerceptronEncoder
    decoder: PatchDecoder | Perceptron
    scale: Float[Array, ""]
    """Root mean square of what the group is shown: brings it to the order of 1."""
    size: int = eqx.field(static=True)

    def encode(self, shown: Numbers) -> Posterior:
        """The posterior over the group's latents."""
        return Posterior(*self.encoder(shown / jax.lax.stop_gradient(self.scale)))

    def decode(self, latent: Float[Array, " latent"]) -> Numbers:
        """What the group adds to the image."""
        return self.decoder(latent) * jax.lax.stop_gradient(self.scale)


class VAE(eqx.Module):
    """Images to latents and back, group by group."""

    groups: tuple[Group, ...]
    canvas: Canvas
    base: Numbers
    """What is there before any group paints."""
    likelihood: Literal["bernoulli", "gaussian"] = eqx.field(static=True)

    def encode(self, image: Float[Array, "H W 3"]) -> Posterior:
        """The posterior over the latents of an image with values in [0, 1]."""
        numbers, painted = self.canvas.put(image), self.base
        posteriors = []
        for group in self.groups:
            posteriors.append(group.encode(numbers - self.link(painted)))
            painted = painted + group.decode(posteriors[-1].mean)
        return jax.tree.map(lambda *parts: jnp.concatenate(parts), *posteriors)

    def unexplained(self, image: Float[Array, "H W 3"], num_groups: int) -> Numbers:
        """What the first groups leave of an image: what the next one is shown."""
        numbers, painted = self.canvas.put(image), self.base
        for group in self.groups[:num_groups]:
            latent = group.encode(numbers - self.link(painted)).mean
            painted = painted + group.decode(latent)
        return numbers - self.link(painted)

    def decode(self, latent: Float[Array, " latent"]) -> Float[Array, "H W 3"]:
        """The image of a latent, with values in [0, 1]."""
        painted = self.base + sum(self.paint(latent))
        image = self.canvas.show(self.link(painted)) + self.canvas.background
        return jnp.clip(image, 0, 1)

    def paint(self, latent: Float[Array, " latent"]) -> list[Numbers]:
        """What each group adds to the base."""
        borders = np.cumsum([group.size for group in self.groups])[:-1]
        parts = jnp.split(latent, borders)
        return [group.decode(part) for group, part in zip(self.groups, parts, strict=True)]

    def link(self, painted: Numbers) -> Numbers:
        """What was painted, as the numbers of an image."""
        return painted if self.likelihood == "gaussian" else jax.nn.sigmoid(painted)


def new_vae(
    config: VAEConfig,
    images: UInt8[np.ndarray, "N H W 3"],
    *,
    key: PRNGKeyArray,
    rng: np.random.Generator,
) -> VAE:
    """A VAE that has learned nothing yet but the mean of the images, and their canvas."""
    canvas: Canvas = PatchCanvas()
    if config.architecture == "principal":
        canvas = principal_canvas(images, config.num_components, rng=rng)
    return blank_vae(config, canvas, mean_image(images), key=key)


def mean_image(images: UInt8[np.ndarray, "N H W 3"]) -> Float[Array, "H W 3"]:
    """The mean of the images, with values in [0, 1]."""
    return jnp.asarray(images.mean(axis=0, dtype=np.float64) / 255, dtype=jnp.float32)


def blank_vae(
    config: VAEConfig, canvas: Canvas, mean: Float[Array, "H W 3"], *, key: PRNGKeyArray
) -> VAE:
    """A VAE with fresh networks on a canvas."""
    keys = jax.random.split(key, len(config.group_sizes))
    base = canvas.put(mean if config.likelihood == "gaussian" else logit(mean))
    groups = [
        new_group(config, base.shape, len(mean), size, key=group_key)
        for size, group_key in zip(config.group_sizes, keys, strict=True)
    ]
    return VAE(tuple(groups), canvas, base, config.likelihood)


def new_group(
    config: VAEConfig, canvas_shape: tuple[int, ...], side: int, size: int, *, key: PRNGKeyArray
) -> Group:
    """A group with fresh networks."""
    encoder_key, decoder_key = jax.random.split(key)
    if config.architecture == "patches":
        return Group(
            PatchEncoder(side, config.channels, size, key=encoder_key),
            PatchDecoder(side, config.channels, size, key=decoder_key),
            jnp.ones(()),
            size,
        )
    num, hidden = canvas_shape[0], config.hidden_size
    return Group(
        PerceptronEncoder(num, hidden, size, key=encoder_key),
        Perceptron((size, hidden, hidden, num), key=decoder_key),
        jnp.ones(()),
        size,
    )


def kl_nats_of(
    mean: Float[Array | np.ndarray, "*B latent"],
    log_std: Float[Array | np.ndarray, "*B latent"],
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
"""How near to 0 and 1 a pixel of the base may come, under the Bernoulli likelihood."""
