"""Latent traversals: decode one latent over its range, with the others at their mean."""

import numpy as np
from jaxtyping import Float32, UInt8

from rig.report.diagnose import LEAST_WEIGHT
from rig.representation.representation import Representation


NUM_IMAGES = 9
"""Images of each latent."""
RANGE_STDS = 2.0
"""Standard deviations to either side of the mean."""


def latent_traversals(
    representation: Representation, latents: Float32[np.ndarray, "N latent"]
) -> dict[str, UInt8[np.ndarray, "images H W 3"]]:
    """Return rows of an image grid: each latent that counts, else the one of most weight.

    Args:
        representation: Decodes.
        latents: Latents of images, which give each latent's mean and range.
    """
    mean, std = latents.mean(axis=0), latents.std(axis=0)
    weight = representation.weight
    assert weight is not None
    counting = np.flatnonzero(weight >= LEAST_WEIGHT)
    steps = np.linspace(-RANGE_STDS, RANGE_STDS, NUM_IMAGES)
    rows = {}
    for index in counting if len(counting) else [int(np.argmax(weight))]:
        row = np.tile(mean, (NUM_IMAGES, 1))
        row[:, index] += (steps * std[index]).astype(np.float32)
        rows[f"latent {index}, weight {weight[index]:.2f}"] = representation.decode(row)
    return rows
