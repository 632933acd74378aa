"""What each latent shows: decoded while it is swept, and all others stay at their mean."""

import numpy as np
from jaxtyping import Float32, UInt8

from rig.report.diagnose import LEAST_WEIGHT
from rig.representation.representation import Representation


NUM_SWEPT = 9
"""Pictures of each latent."""
FARTHEST = 2.0
"""A sweep goes so many standard deviations to either side."""


def sweeps(
    space: Representation, latents: Float32[np.ndarray, "N latent"]
) -> dict[str, UInt8[np.ndarray, "swept H W 3"]]:
    """Rows of a sheet, one for each latent that counts, or for the heaviest if none does.

    Args:
        space: Decodes.
        latents: Of images seen: they say where the mean is, and how far a latent ranges.
    """
    assert space.weight is not None
    mean, spread = latents.mean(axis=0), latents.std(axis=0)
    counting = np.flatnonzero(space.weight >= LEAST_WEIGHT)
    steps = np.linspace(-FARTHEST, FARTHEST, NUM_SWEPT)
    rows = {}
    for index in counting if len(counting) else [int(np.argmax(space.weight))]:
        swept = np.tile(mean, (NUM_SWEPT, 1))
        swept[:, index] += (steps * spread[index]).astype(np.float32)
        rows[f"latent {index}, weight {space.weight[index]:.2f}"] = space.decode(swept)
    return rows
