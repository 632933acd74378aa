"""Arrays that lie in a file: the system keeps in memory what was used of late."""

import mmap
import os
import tempfile
from pathlib import Path

import numpy as np


def memmap_array(directory: Path, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array in a file of that directory, which is gone when nothing uses it any more.

    The room is taken at once, so that a disk that is full is noticed here. The file has no
    name: whatever ends the process, nothing is left behind.

    Raises:
        OSError: The disk has no room for it.
    """
    with tempfile.TemporaryFile(dir=directory) as file:
        os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)) * dtype.itemsize)
        return np.memmap(file, dtype, "r+", shape=shape)


def advise_dontneed(array: np.ndarray) -> None:
    """Gives back the memory of an array that lies in a file; the file keeps what was written.

    The system may hold its pages for a while, and takes them for others when it needs to.
    """
    if isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap):
        array.base.madvise(mmap.MADV_DONTNEED)
