"""Arrays as safetensors files, without pickle: a file can bring in numbers, but no code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rig.errors import RunError
from rig.runs.old_names import current_array_name, is_new


Arrays = dict[str, np.ndarray]
Expected = Mapping[str, Any]
"""By name, anything with a ``shape`` and a ``dtype``: an array or an :class:`ArraySpec`."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """The expected shape and type of an array; None accepts any length, shape or type."""

    shape: tuple[int | None, ...] | None
    dtype: np.dtype | None


def array_bytes(arrays: Arrays) -> bytes:
    """Return the content of a safetensors file with these arrays.

    Arrays are made contiguous first: safetensors writes the memory from the first element on,
    which is wrong for a view such as some columns of a larger array.
    """
    return save({name: np.asarray(array, order="C") for name, array in arrays.items()})


def load_arrays(path: Path, expected: Expected) -> Arrays:
    """Load the arrays of a file, after checking names and shapes, which needs no memory.

    Raises:
        RunError: The file is missing or truncated, or an array is missing, has another shape or
            type, or is not finite.
    """
    if not path.is_file():
        raise RunError(f"{path} is missing: the run stopped before it was saved")
    try:
        with safe_open(path, framework="numpy") as file:
            saved = {current_array_name(name): name for name in file.keys()}  # noqa: SIM118
            absent = {name for name in expected if name not in saved and is_new(name)}
            check_names(path, set(saved) | absent, set(expected))
            for name, key in saved.items():
                shape = tuple(file.get_slice(key).get_shape())
                check_shape(path, name, shape, expected[name].shape)
            loaded = {name: file.get_tensor(key) for name, key in saved.items()}
            loaded |= {name: np.zeros((), expected[name].dtype) for name in absent}
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} can't be read: {error}; the run is damaged") from error
    for name, like in expected.items():
        check_numbers(path, name, loaded[name], like.dtype)
    return loaded


def check_names(path: Path, found: set[str], expected: set[str]) -> None:
    """Raise RunError unless the file has exactly the expected arrays."""
    if found != expected:
        name = min(found ^ expected)
        state = "lacks" if name in expected else "has an unknown"
        raise RunError(f"{path} {state} array {name}: it does not match the run's config.json")


def check_shape(
    path: Path, name: str, found: tuple[int, ...], expected: tuple[int | None, ...] | None
) -> None:
    """Raise RunError unless an array has the expected shape."""
    if expected is None:
        return
    known = tuple(
        size if length is None else length
        for size, length in zip(found, expected, strict=False)
    )
    if len(found) != len(expected) or found != known:
        raise RunError(
            f"{path}: {name} has shape {found}, but the run's config.json needs {expected}"
        )


def check_numbers(path: Path, name: str, found: np.ndarray, dtype: np.dtype | None) -> None:
    """Raise RunError unless an array has the expected type and is finite."""
    if dtype is not None and found.dtype != dtype:
        raise RunError(
            f"{path}: {name} has type {found.dtype}, not {dtype}; the run is damaged"
        )
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise RunError(f"{path}: {name} is not finite; the run diverged or is damaged")
