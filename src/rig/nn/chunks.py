"""Apply compiled functions to many rows in chunks of one size, so that they compile once."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np


CHUNK = 128
"""Rows in one compiled call, which needs about 30 MB; the last chunk is padded."""


def in_chunks(function: Callable[[np.ndarray], Any], rows: np.ndarray) -> Any:
    """Return ``function(rows)``, computed one chunk at a time."""
    if len(rows) <= CHUNK:
        return jax.tree.map(np.asarray, function(rows))
    results: Any = None
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        padding = [(0, CHUNK - len(chunk))] + [(0, 0)] * (rows.ndim - 1)
        result = function(np.pad(chunk, padding))
        if results is None:
            results = jax.tree.map(partial(room_for, len(rows)), result)
        jax.tree.map(partial(write_rows, start), results, result)
    return results


def room_for(num: int, leaf: jax.Array | np.ndarray) -> np.ndarray:
    """Return an empty array with as many rows of a chunk's kind."""
    return np.empty((num, *leaf.shape[1:]), leaf.dtype)


def write_rows(start: int, to: np.ndarray, leaf: jax.Array | np.ndarray) -> None:
    """Copy a chunk to the host, into its rows of the whole."""
    to[start : start + CHUNK] = np.asarray(leaf)[: len(to) - start]
