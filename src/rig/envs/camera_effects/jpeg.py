"""What JPEG loses, without the files: blocks of 8 x 8, quantised, at half resolution of colour.

The tables and the rule that scales them by a quality are those of the standard (ITU-T T.81,
annex K) and of libjpeg. One product of matrices transforms all blocks of a batch at once, which
takes a tenth of the time of writing and reading files.
"""

import numpy as np
from jaxtyping import Float32


SIDE = 8
"""Side of a block, pixels."""
LUMINANCE = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56
14 17 22 29 51 87 80 62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92
49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
CHROMINANCE = """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99
47 66 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""
MIDDLE = 128.0
CHROMA_SCALES = np.array([0.5 / 0.886, 0.5 / 0.701], np.float32)
"""Put blue and red, less luminance, in the range of a byte."""
MAX_ROWS = 64
"""Rows of one product of matrices. For larger ones OpenBLAS wakes all its threads, and where
other programs use the cores it waits for them ten times as long as it computes."""

Planes = Float32[np.ndarray, "_ _ _"]


class Jpeg:
    """Takes planes of images through JPEG at one quality."""

    def __init__(self, quality: int) -> None:
        """Compute the transforms, with quantisation inside.

        Args:
            quality: 50 to 100, as libjpeg has it.
        """
        self._luminance = transforms(LUMINANCE, quality)
        self._chrominance = transforms(CHROMINANCE, quality)

    def lose(self, rgb: Float32[np.ndarray, "N 3 H W"]) -> Float32[np.ndarray, "N 3 H W"]:
        """Return images as they are after JPEG, not rounded, and not clipped to [0, 255]."""
        red, green, blue = rgb[:, 0], rgb[:, 1], rgb[:, 2]
        y = 0.299 * red + 0.587 * green + 0.114 * blue
        both = halved(np.concatenate([blue - y, red - y]))
        y = quantised(y - MIDDLE, *self._luminance) + MIDDLE
        scale = np.repeat(CHROMA_SCALES, len(y))[:, None, None]
        both = quantised(both * scale, *self._chrominance) / scale
        blue, red = np.split(doubled(both, y.shape[1:]), 2)
        blue += y
        red += y
        return np.stack([red, (y - 0.299 * red - 0.114 * blue) / 0.587, blue], axis=1)


def transforms(table: str, quality: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what takes a block to its quantised coefficients, before rounding, and back."""
    steps = np.floor((np.array(table.split(), float) * (200 - 2 * quality) + 50) / 100)
    steps = np.clip(steps, 1, 255)
    along = np.arange(SIDE)
    cosines = np.cos((2 * along + 1) * along[:, None] * np.pi / (2 * SIDE)) / 2
    cosines[0] /= np.sqrt(2)
    both = np.kron(cosines, cosines)
    return (both / steps[:, None]).T.astype(np.float32), (both * steps[:, None]).astype(
        np.float32
    )


def quantised(planes: Planes, forward: np.ndarray, back: np.ndarray) -> Planes:
    """Return planes whose blocks are rounded in the transform's steps."""
    num, height, width = planes.shape
    rows, columns = -(-height // SIDE), -(-width // SIDE)
    if (height, width) != (rows * SIDE, columns * SIDE):
        missing = ((0, 0), (0, rows * SIDE - height), (0, columns * SIDE - width))
        planes = np.pad(planes, missing, mode="edge")
    blocks = planes.reshape(num, rows, SIDE, columns, SIDE).transpose(0, 1, 3, 2, 4)
    coefficients = product(blocks.reshape(-1, SIDE * SIDE), forward)
    np.rint(coefficients, out=coefficients)
    blocks = product(coefficients, back).reshape(num, rows, columns, SIDE, SIDE)
    whole = blocks.transpose(0, 1, 3, 2, 4).reshape(num, rows * SIDE, columns * SIDE)
    return whole[:, :height, :width]


def product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the product of matrices, computed on this thread alone."""
    result = np.empty((len(rows), matrix.shape[1]), np.float32)
    for start in range(0, len(rows), MAX_ROWS):
        part = slice(start, start + MAX_ROWS)
        np.matmul(rows[part], matrix, out=result[part])
    return result


def halved(planes: Planes) -> Planes:
    """Return planes at half their size; a last row or column without a pair is its own."""
    _, height, width = planes.shape
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    rows = planes[:, ::2] + planes[:, 1::2]
    return (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)


def doubled(planes: Planes, shape: tuple[int, ...]) -> Planes:
    """Return planes at twice their size, cut to a shape."""
    whole = planes.repeat(2, axis=1).repeat(2, axis=2)
    return whole[:, : shape[0], : shape[1]]
