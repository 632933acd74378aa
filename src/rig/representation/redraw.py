"""A decoder for what practice has seen, in place of one for what random actions had shown.

The first fit is to images of random practice, in which an object hardly leaves its place. Later
ones show it elsewhere, and its decoder paints ghosts there. Where no latent depends on the
decoder, it can be fitted again at the end, so that a person can read what the robot imagines
and what it makes of a goal.
"""

from dataclasses import replace

import jax
import numpy as np
from jaxtyping import UInt8

from rig.config import VAEConfig
from rig.representation.fit import fit
from rig.representation.latent import LatentRepresentation
from rig.representation.quantile_keypoints import QuantileKeypointEncoder
from rig.representation.representation import Representation
from rig.representation.stacked_actions import StackedActions
from rig.representation.vae import unfitted_vae


def with_new_decoder(
    representation: Representation,
    images: UInt8[np.ndarray, "N H W 3"],
    config: VAEConfig,
    *,
    rng: np.random.Generator,
) -> Representation:
    """Return a representation with the same latents, and a decoder fitted to these images.

    Args:
        representation: Returned as it is, if its latents depend on the decoder or there is no
            image.
        images: What practice has seen, also far from where it began.
        config: The settings of the fit.
        rng: Draws networks and batches.
    """
    if isinstance(representation, StackedActions):
        latents = with_new_decoder(representation.latents, images, config, rng=rng)
        num_actions = representation.latent_dim - latents.latent_dim
        assert isinstance(latents, LatentRepresentation)
        return StackedActions(latents, num_actions)
    if not isinstance(representation, LatentRepresentation) or not len(images):
        return representation
    encoder = representation.vae.encoder
    if not isinstance(encoder, QuantileKeypointEncoder):
        return representation
    key = jax.random.key(rng.integers(2**32))
    vae = unfitted_vae(config, images, key=key, rng=rng)
    vae = fit(replace(vae, encoder=encoder), images, config, rng=rng)
    return LatentRepresentation(
        replace(vae, encoder=encoder), representation.whitening, representation.prior
    )
