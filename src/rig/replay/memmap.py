"""Arrays in a file: the system keeps recently used parts in memory."""

import mmap
import os
import tempfile
from pathlib import Path

import numpy as np


def memmap_array(directory: Path, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return an array in a file of that directory, which is removed when it is no longer used.

    The space is taken at once, so that a full disk is noticed here. The file has no name:
    however the process ends, nothing is left behind.

    Raises:
        OSError: The disk has no space for it.
    """
    with tempfile.TemporaryFile(dir=directory) as file:
        os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)) * dtype.itemsize)
        return np.memmap(file, dtype, "r+", shape=shape)


def advise_dontneed(array: np.ndarray) -> None:
    """Release the memory of an array in a file; the file keeps what was written.

    The system may hold its pages for a while, and takes them for others when it needs to.
    """
    if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap):
        array.base.madvise(mmap.MADV_DONTNEED)
