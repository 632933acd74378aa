"""Save trees of arrays as safetensors files and load them again, without pickle.

Every array is stored under its path in the tree. To load, the caller passes a tree of the right
structure, built from the run's settings, and its arrays are replaced. So a file can bring in
numbers, but no code.
"""

from pathlib import Path
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np

from rig.runs.array_files import Arrays, array_bytes, load_arrays
from rig.runs.atomic_files import atomic_write


Tree = TypeVar("Tree")


def save_tree(path: Path, tree: object) -> None:
    """Write every array of the tree to one file, atomically."""
    atomic_write(path, tree_bytes(tree))


def tree_bytes(tree: object) -> bytes:
    """Return the content of a safetensors file with every array of the tree."""
    return array_bytes({name: np.asarray(leaf) for name, leaf in named_arrays(tree).items()})


def load_tree(path: Path, like: Tree) -> Tree:
    """Return a copy of ``like`` whose arrays are those of the file.

    Args:
        path: A file that :func:`save_tree` wrote.
        like: A tree whose arrays, or ``jax.ShapeDtypeStruct``, have the right shapes.

    Raises:
        RunError: See :func:`load_arrays`.
    """
    return replace_arrays(like, load_arrays(path, named_arrays(like)))


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
