"""Photographs of any camera in bounded memory: 200 megapixels are read, bombs are not.

Pillow refuses 179 megapixels as a decompression bomb, and cameras of telephones take 200. What
an image costs is known before it is decoded, so the limit here is one of memory.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from PIL import Image


MAX_PIXELS = 256_000_000
"""More than the largest photograph of a camera of today."""
MAX_WHOLE_PIXELS = 120_000_000
"""The same for formats that are decoded as a whole, at up to 4 bytes for each pixel."""
FORMAT_LIMITS = dict.fromkeys(("JPEG", "MPO"), MAX_PIXELS) | dict.fromkeys(
    ("PNG", "TIFF", "BMP", "PPM"), MAX_WHOLE_PIXELS
)
"""Pixels in a file of each format. Others keep Pillow's limit: their decoders take more."""
MAX_COEFFICIENT_BYTES = 640_000_000
"""A progressive JPEG is decoded from all its coefficients, of 2 bytes each."""
REDUCED_PX = 1024
"""The least width and height to which a larger image is reduced before its mode changes."""
BAND_PX = 128
"""About how many rows are converted at once."""
_ONE_AT_A_TIME = Lock()


@contextmanager
def one_large_image() -> Iterator[None]:
    """Let Pillow open large images in the block, one at a time.

    Its limit is a variable of its module. The lock also bounds the memory of several threads.
    """
    with _ONE_AT_A_TIME:
        usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, MAX_PIXELS
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = usual


def check_size(image: Image.Image, usual_limit: int | None) -> None:
    """Raise unless an opened file can be decoded in less than a gigabyte of memory.

    A JPEG is told to decode at an eighth, a quarter or half of its size, if that is enough.

    Args:
        image: An opened file; nothing is decoded yet.
        usual_limit: Pillow's own limit of pixels; None for no limit.

    Raises:
        DecompressionBombError: It would take too much memory.
    """
    num_pixels = image.width * image.height
    most = FORMAT_LIMITS.get(image.format or "", usual_limit or MAX_WHOLE_PIXELS)
    if num_pixels > most or coefficient_bytes(image) > MAX_COEFFICIENT_BYTES:
        raise Image.DecompressionBombError(
            f"{num_pixels / 1e6:,.0f} megapixels of {image.format}"
        )
    image.draft(None, (REDUCED_PX, REDUCED_PX))


def coefficient_bytes(image: Image.Image) -> float:
    """Return the memory for the coefficients of a progressive JPEG; 0 for any other file."""
    if not image.info.get("progressive"):
        return 0.0
    layers = getattr(image, "layer", [])
    samples = [across * down for _id, across, down, *_ in layers]
    share = sum(samples) / max(samples, default=1)
    return 2 * image.width * image.height * share


def reduced(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return an image converted, and reduced by a whole number if it is large.

    It is converted in bands, so that no second image of its size is ever in memory.
    """
    factor = min(image.size) // REDUCED_PX
    if factor < 2:
        return convert(image)
    size = (-(-image.width // factor), -(-image.height // factor))
    small = Image.new("RGB", size)
    rows = factor * max(1, BAND_PX // factor)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(convert(band).reduce(factor), (0, top // factor))
    return small
