"""Square images: the middle of any image, resized to the camera's size."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image


def square_image(image: Image.Image, size: int) -> Image.Image:
    """Return the largest square in the middle of an image, resized.

    A pixel of a smaller image is the mean of those that it covers, so that a camera image
    enlarged by a whole number comes back byte for byte.
    """
    side = min(image.size)
    # Not ImageOps.fit: it crops between pixels where an odd number is left over.
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    method = Image.Resampling.BOX if side > size else Image.Resampling.BICUBIC
    return square.resize((size, size), method)


def crop_square(
    image: UInt8[np.ndarray, "H W 3"], size: int
) -> UInt8[np.ndarray, "size size 3"]:
    """Return the middle square of an image, resized to the camera's size: always a copy."""
    if image.shape[:2] == (size, size):
        return image.copy()
    return np.array(square_image(Image.fromarray(image), size))
