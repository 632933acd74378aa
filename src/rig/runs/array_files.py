"""Trees of arrays to safetensors files and back, without pickle.

Every array is stored under its path in the tree. To load, the caller gives a tree of the right
shape, built from the run's settings, and its arrays are replaced; a file can so bring in
numbers, but no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rig.errors import RunError
from rig.runs.atomic_files import atomic_write
from rig.runs.old_names import new_array_name


Tree = TypeVar("Tree")
Arrays = dict[str, np.ndarray]
Expected = Mapping[str, Any]
"""By name, anything with a ``shape`` and a ``dtype``: an array or a :class:`Like`."""


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """What an array is to be; None stands for any length, any shape or any type."""

    shape: tuple[int | None, ...] | None
    dtype: np.dtype | None


def save_tree(path: Path, tree: object) -> None:
    """Writes every array of the tree, beside the path first and then moved into place."""
    atomic_write(path, tree_bytes(tree))


def tree_bytes(tree: object) -> bytes:
    """Every array of the tree as the content of a safetensors file."""
    return array_bytes({name: np.asarray(leaf) for name, leaf in named_arrays(tree).items()})


def array_bytes(arrays: Arrays) -> bytes:
    """Arrays as the content of a safetensors file.

    Rows that lie apart in memory, as columns of a larger array, are brought together first:
    safetensors would take the bytes that lie between them for theirs.
    """
    return save({name: np.asarray(array, order="C") for name, array in arrays.items()})


def load_tree(path: Path, like: Tree) -> Tree:
    """The tree with its arrays replaced by those of the file.

    Args:
        path: What :func:`save_tree` wrote.
        like: A tree whose arrays, or ``jax.ShapeDtypeStruct``, have the right shapes.

    Raises:
        RunError: As :func:`load_arrays`.
    """
    return replace_arrays(like, load_arrays(path, named_arrays(like)))


def load_arrays(path: Path, expected: Expected) -> Arrays:
    """The arrays of a file. Their names and shapes are checked before memory is taken.

    Raises:
        RunError: The file is missing or cut, or an array is missing, of another shape or type,
            or not finite.
    """
    if not path.is_file():
        raise RunError(f"{path} is missing: the run stopped before it was saved")
    try:
        with safe_open(path, framework="numpy") as file:
            stored = {new_array_name(name): name for name in file.keys()}  # noqa: SIM118
            check_names(path, set(stored), set(expected))
            for name, like in expected.items():
                shape = tuple(file.get_slice(stored[name]).get_shape())
                check_shape(path, name, shape, like.shape)
            loaded = {name: file.get_tensor(stored[name]) for name in expected}
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} can't be read: {error}; the run is damaged") from error
    for name, like in expected.items():
        check_numbers(path, name, loaded[name], like.dtype)
    return loaded


def named_arrays(tree: object) -> dict[str, Any]:
    """Every array of the tree under its path."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves if is_array_like(leaf)}


def is_array_like(leaf: object) -> bool:
    """Whether a leaf is an array, or the shape of one."""
    return eqx.is_array(leaf) or isinstance(leaf, np.ndarray | jax.ShapeDtypeStruct)


def replace_arrays(tree: Tree, arrays: Arrays) -> Tree:
    """The tree with each array replaced by the one of the same path."""

    def pick(path: tuple, leaf: object) -> object:
        return jnp.asarray(arrays[jax.tree_util.keystr(path)]) if is_array_like(leaf) else leaf

    return jax.tree_util.tree_map_with_path(pick, tree)


def check_names(path: Path, found: set[str], expected: set[str]) -> None:
    """Raises RunError unless the file holds the arrays that the settings ask for."""
    if found != expected:
        name = min(found ^ expected)
        state = "lacks" if name in expected else "has an unknown"
        raise RunError(f"{path} {state} array {name}: it is not of this run's settings")


def check_shape(
    path: Path, name: str, found: tuple[int, ...], expected: tuple[int | None, ...] | None
) -> None:
    """Raises RunError unless an array has the shape that the settings ask for."""
    if expected is None:
        return
    known = tuple(
        size if length is None else length
        for size, length in zip(found, expected, strict=False)
    )
    if len(found) != len(expected) or found != known:
        raise RunError(
            f"{path}: {name} has shape {found}, this run's settings ask for {expected}"
        )


def check_numbers(path: Path, name: str, found: np.ndarray, dtype: np.dtype | None) -> None:
    """Raises RunError unless an array is of the type that is asked for, and finite."""
    if dtype is not None and found.dtype != dtype:
        raise RunError(f"{path}: {name} is of {found.dtype}, not {dtype}; the run is damaged")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise RunError(f"{path}: {name} is not finite; the run diverged or is damaged")
