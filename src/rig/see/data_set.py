"""Data sets of images, with or without true states: NPZ files, read without trust.

==========  ========================================================================
images      ``[N, H, W, 3]`` uint8, or ``[E, T, H, W, 3]``: E episodes of T images
states      ``[N, S]`` or ``[E, T, S]`` numbers: the true state in each image; optional
things      a text, a dictionary of object -> columns of ``states``; optional
==========  ========================================================================

Other arrays are left alone. True states measure what was learned; nothing is fitted to them.
"""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int, UInt8
from numpy.lib import format as npy

from rig.envs.square_crop import crop_square
from rig.errors import DataSetError
from rig.see.objects import Objects, parse_objects


MAX_BYTES = 1 << 32
"""Bytes of the largest array that is read."""
MAX_TEXT_BYTES = 1 << 18
"""Bytes of the longest ``things``."""
MIN_IMAGES = 8
MIN_SIDE_PX, MAX_SIDE_PX = 8, 4096
KNOWN = ("images", "states", "things")
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise at a file that is no NPZ, is cut off or is encrypted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """The true states of images, and the objects in them. Only for measuring."""

    states: Float64[np.ndarray, "N state"]
    objects: Objects
    units: Mapping[str, str] = field(default_factory=dict)
    """Of each object, as far as they are known: ``m`` or ``rad``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSet:
    """Images, and what is known about them."""

    images: UInt8[np.ndarray, "N H W 3"]
    num_steps: Int[np.ndarray, " E"]
    """Steps of each episode, whose images are in a row; none where time has no order."""
    truth: Truth | None = None
    notes: tuple[str, ...] = ()
    """What was done to the file's content, in words."""


def read_data_set(path: Path, size: int, objects: str = "") -> DataSet:
    """Read an NPZ file; images are cropped to their middle square and resized.

    Args:
        path: The file.
        size: Width and height that images get, pixels.
        objects: A text to read in place of ``things``, if it is not empty.

    Raises:
        DataSetError: The file is no data set; the message says what is wrong in it.
    """
    if not path.exists():
        raise DataSetError(f"{path} is missing: give a data set, an NPZ file")
    try:
        with zipfile.ZipFile(path) as archive:
            return data_set_of(path, archive, size, objects)
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataSetError(
            f"{path} can't be read as an NPZ file ({reason}): write it with numpy.savez, "
            "arrays of numbers and text only"
        ) from error


def data_set_of(path: Path, archive: zipfile.ZipFile, size: int, objects: str) -> DataSet:
    """Return the data set in an archive, after checking every array before it is read."""
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if "images" not in names:
        listed = ", ".join(names[:8]) or "nothing"
        raise DataSetError(
            f"{path} has no array 'images', it has {listed}: add images [N, H, W, 3] uint8"
        )
    images = images_of(path, archive)
    lead = images.shape[:-3]
    truth, notes = None, []
    has_objects = "things" in names or objects != ""
    if has_objects and "states" not in names:
        raise DataSetError(
            f"{path} has no 'states' for the objects named: add states [N, S], or name none"
        )
    if has_objects:
        truth = truth_of(path, archive, lead, objects)
    elif "states" in names:
        check_states(path, archive, lead)
        notes.append("states name no objects: add things, or give --objects")
    unread = sorted(set(names) - set(KNOWN if truth else ("images",)))
    if unread:
        notes.append(f"not read: {', '.join(unread)}")
    if images.shape[-3:-1] != (size, size):
        notes.append(f"cropped and resized {resolution(images)} to {size} x {size}")
    episodes, length = lead if len(lead) == 2 else (0, 1)
    square = np.stack(
        [crop_square(each, size) for each in images.reshape(-1, *images.shape[-3:])]
    )
    return DataSet(
        images=square,
        num_steps=np.full(episodes if length > 1 else 0, length - 1, np.int64),
        truth=truth,
        notes=tuple(notes),
    )


def images_of(path: Path, archive: zipfile.ZipFile) -> np.ndarray:
    """Return the array of images."""
    shape, dtype = header_of(path, archive, "images")
    if dtype != np.uint8 or len(shape) not in (4, 5) or shape[-1] != 3:
        raise DataSetError(
            f"{path}: images has shape {list(shape)} of {dtype}: it must be [N, H, W, 3] or "
            "[episodes, T, H, W, 3], of uint8"
        )
    height, width = shape[-3:-1]
    if not MIN_SIDE_PX <= min(height, width) <= max(height, width) <= MAX_SIDE_PX:
        raise DataSetError(
            f"{path}: images are {height} x {width}: each side must have {MIN_SIDE_PX} to "
            f"{MAX_SIDE_PX} pixels"
        )
    num = int(np.prod(shape[:-3], dtype=object))
    if num < MIN_IMAGES:
        raise DataSetError(f"{path} has {num} images: at least {MIN_IMAGES} are needed")
    return read_array(path, archive, "images")


def truth_of(
    path: Path, archive: zipfile.ZipFile, lead: tuple[int, ...], objects_text: str
) -> Truth:
    """Return the true states and objects of an archive whose images have the axes ``lead``."""
    shape = check_states(path, archive, lead)
    states = read_array(path, archive, "states").reshape(-1, shape[-1]).astype(np.float64)
    text = objects_text or things_of(path, archive)
    objects = parse_objects(path, text, shape[-1])
    used = states[:, sorted({column for columns in objects.values() for column in columns})]
    if not np.isfinite(used).all():
        row = int(np.flatnonzero(~np.isfinite(used).all(axis=1))[0])
        raise DataSetError(f"{path}: states of image {row} are not finite: leave it out")
    return Truth(states=states, objects=objects)


def check_states(
    path: Path, archive: zipfile.ZipFile, lead: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the shape of the states.

    Raises:
        DataSetError: It is not a row of numbers for each image.
    """
    shape, dtype = header_of(path, archive, "states")
    if shape[:-1] != lead or len(shape) < 2 or dtype.kind not in "fiu":
        wanted = ", ".join(map(str, lead))
        raise DataSetError(
            f"{path}: states has shape {list(shape)} of {dtype}: it must be [{wanted}, S] "
            "numbers, a row for each image"
        )
    return shape


def things_of(path: Path, archive: zipfile.ZipFile) -> str:
    """Return the text ``things``."""
    shape, dtype = header_of(path, archive, "things")
    if dtype.kind != "U" or shape != () or dtype.itemsize > MAX_TEXT_BYTES:
        raise DataSetError(
            f"{path}: things has shape {list(shape)} of {dtype}: it must be one text, such as "
            "\"{'hand': [0, 1]}\""
        )
    return str(read_array(path, archive, "things"))


def header_of(
    path: Path, archive: zipfile.ZipFile, name: str
) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and type of an array, without reading it.

    Raises:
        DataSetError: It holds Python objects, or is larger than any that is read.
    """
    with archive.open(f"{name}.npy") as file:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _is_fortran, dtype = read(file)
    if dtype.hasobject:
        raise DataSetError(
            f"{path}: {name} holds pickled objects, which are not read: store plain numbers"
        )
    num_bytes = dtype.itemsize * int(np.prod(shape, dtype=object))
    if num_bytes > MAX_BYTES:
        raise DataSetError(
            f"{path}: {name} has {num_bytes:,} bytes, at most {MAX_BYTES:,} are read: take "
            "fewer or smaller images"
        )
    return shape, dtype


def read_array(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return an array whose header was checked."""
    with archive.open(f"{name}.npy") as file:
        return np.asarray(npy.read_array(file))


def resolution(images: np.ndarray) -> str:
    """Return the width and height of images in words."""
    return f"{images.shape[-2]} x {images.shape[-3]}"
