"""Save trees of arrays as safetensors files and load them again, without pickle.

Every array is stored under its path in the tree. To load, the caller passes a tree of the right
structure, built from the run's settings, and its arrays are replaced. So a file can bring in
numbers, but no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rig.errors import RunError
from rig.runs.atomic_files import atomic_write
from rig.runs.old_names import current_array_name


Tree = TypeVar("Tree")
Arrays = dict[str, np.ndarray]
Expected = Mapping[str, Any]
"""By name, anything with a ``shape`` and a ``dtype``: an array or an :class:`ArraySpec`."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """The expected shape and type of an array; None accepts any length, shape or type."""

    shape: tuple[int | None, ...] | None
    dtype: np.dtype | None


def save_tree(path: Path, tree: object) -> None:
    """Write every array of the tree to one file, atomically."""
    atomic_write(path, tree_bytes(tree))


def tree_bytes(tree: object) -> bytes:
    """Return the content of a safetensors file with every array of the tree."""
    return array_bytes({name: np.asarray(leaf) for name, leaf in named_arrays(tree).items()})


def array_bytes(arrays: Arrays) -> bytes:
    """Return the content of a safetensors file with these arrays.

    Arrays are made contiguous first: safetensors writes the memory from the first element on,
    which is wrong for a view such as some columns of a larger array.
    """
    return save({name: np.asarray(array, order="C") for name, array in arrays.items()})


def load_tree(path: Path, like: Tree) -> Tree:
    """Return a copy of ``like`` whose arrays are those of the file.

    Args:
        path: A file that :func:`save_tree` wrote.
        like: A tree whose arrays, or ``jax.ShapeDtypeStruct``, have the right shapes.

    Raises:
        RunError: See :func:`load_arrays`.
    """
    return replace_arrays(like, load_arrays(path, named_arrays(like)))


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
            check_names(path, set(saved), set(expected))
            for name, like in expected.items():
                shape = tuple(file.get_slice(saved[name]).get_shape())
                check_shape(path, name, shape, like.shape)
            loaded = {name: file.get_tensor(saved[name]) for name in expected}
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} can't be read: {error}; the run is damaged") from error
    for name, like in expected.items():
        check_numbers(path, name, loaded[name], like.dtype)
    return loaded


def named_arrays(tree: object) -> dict[str, Any]:
    """Return every array of the tree by its path."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves if is_array_like(leaf)}


def is_array_like(leaf: object) -> bool:
    """Return whether a leaf is an array or the shape of one."""
    return eqx.is_array(leaf) or isinstance(leaf, np.ndarray | jax.ShapeDtypeStruct)


def replace_arrays(tree: Tree, arrays: Arrays) -> Tree:
    """Replace each array of the tree by the one with the same path."""

    def pick(path: tuple, leaf: object) -> object:
        # Not jnp.asarray, which compiles a program for each shape.
        name = jax.tree_util.keystr(path)
        return jax.device_put(arrays[name]) if is_array_like(leaf) else leaf

    return jax.tree_util.tree_map_with_path(pick, tree)


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
