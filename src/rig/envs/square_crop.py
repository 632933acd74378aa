"""Square pictures: the middle of any picture, at the camera's size."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image


def middle_square(picture: Image.Image) -> Image.Image:
    """The largest square in the middle of a picture."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def resized(picture: Image.Image, size: int) -> Image.Image:
    """A square picture at another size.

    A pixel of a smaller one is the mean of those that it covers, so that a camera image
    enlarged by a whole number comes back byte for byte.
    """
    smaller = picture.width > size
    method = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
    return picture.resize((size, size), method)


def squared(image: UInt8[np.ndarray, "H W 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """The middle square of an image, at the camera's size."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(resized(middle_square(Image.fromarray(image)), size))
