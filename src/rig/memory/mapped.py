"""Arrays that lie in a file: the system keeps in memory what was used of late."""

import os
import tempfile
from pathlib import Path

import numpy as np


def mapped(directory: Path, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array in a file of that directory, which is gone when nothing uses it any more.

    The room is taken at once, so that a disk that is full is noticed here. The file has no
    name: whatever ends the process, nothing is left behind.

    Raises:
        OSError: The disk has no room for it.
    """
    with tempfile.TemporaryFile(dir=directory) as file:
        os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)) * dtype.itemsize)
        return np.memmap(file, dtype, "r+", shape=shape)
