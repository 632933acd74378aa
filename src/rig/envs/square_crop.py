"""Square images: the middle of any image, resized to the camera's size."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image


def center_crop(image: Image.Image) -> Image.Image:
    """Return the largest square in the middle of an image."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def resize(image: Image.Image, size: int) -> Image.Image:
    """Resize a square image.

    A pixel of a smaller image is the mean of those that it covers, so that a camera image
    enlarged by a whole number comes back byte for byte.
    """
    is_smaller = image.width > size
    method = Image.Resampling.BOX if is_smaller else Image.Resampling.BICUBIC
    return image.resize((size, size), method)


def crop_square(
    image: UInt8[np.ndarray, "H W 3"], size: int
) -> UInt8[np.ndarray, "size size 3"]:
    """Return the middle square of an image, resized to the camera's size."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(resize(center_crop(Image.fromarray(image)), size))
