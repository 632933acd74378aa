"""Compression: whether images were saved as JPEG or video, and what that does to them.

JPEG keeps blocks of 8 pixels, and color in blocks of 16 (Wallace 1992). So an object changes
the pixels around it a little, and its own edges change with its place on the grid of blocks.
"""

import io

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image


BLOCK_PX = 16
"""Side of a block of color."""
QUALITY = 90
"""Of the JPEG that images are saved as once more."""
STILL = 9.0
"""Squared standard deviations, over three channels, within which a pixel is background."""
MIN_AROUND = 100.0
"""Mean squared deviation of a block's size about a pixel from which something moved there."""
MOST_OF_IT = 0.5
"""A pixel with at least this share of that mean moved itself."""
EDGE_PX = 5
"""Side of the square about a pixel that moved that is no halo: edges are soft."""
MIN_HALO = 0.002
"""Share of that mean that one in ten of the other pixels exceeds if images were compressed.
Practice of our tasks has 0, and 0.004 to 0.006 with JPEG."""
MIN_SHARE = 0.01
"""Share of all pixels of which there must be this much to judge."""


def are_compressed(squared: Float32[np.ndarray, "N H W"]) -> bool:
    """Return whether what moved in images has the halos of compression.

    Objects that are soft all over, and those with a shadow of their own, have halos too: their
    images are taken for compressed.

    Args:
        squared: How far each pixel is from the background, in squared standard deviations.
    """
    # SciPy loads slowly, and a trained policy never needs it.
    from scipy.ndimage import maximum_filter, uniform_filter

    around = uniform_filter(squared, size=(1, BLOCK_PX, BLOCK_PX))
    moved = squared >= MOST_OF_IT * np.maximum(around, MIN_AROUND)
    is_near = (around > MIN_AROUND) & ~maximum_filter(moved, size=(1, EDGE_PX, EDGE_PX))
    if is_near.mean() < MIN_SHARE:
        return False
    halo = np.maximum(squared[is_near] - STILL, 0) / around[is_near]
    return bool(np.quantile(halo, 0.9) > MIN_HALO)


def compress(
    images: UInt8[np.ndarray, "N H W 3"], *, rng: np.random.Generator
) -> UInt8[np.ndarray, "N H W 3"]:
    """Return images as JPEG gives them back, each on a grid of blocks of its own."""
    side = images.shape[1]
    result = np.empty_like(images)
    for image, shown, (down, right) in zip(
        images, result, rng.integers(0, BLOCK_PX, (len(images), 2)), strict=True
    ):
        wide = np.pad(image, ((down, BLOCK_PX), (right, BLOCK_PX), (0, 0)), mode="edge")
        file = io.BytesIO()
        Image.fromarray(wide).save(file, "JPEG", quality=QUALITY)
        with Image.open(file) as again:
            shown[...] = np.asarray(again)[down : down + side, right : right + side]
    return result
