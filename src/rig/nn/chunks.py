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
    results = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        padding = [(0, CHUNK - len(chunk))] + [(0, 0)] * (rows.ndim - 1)
        result = function(np.pad(chunk, padding))
        results.append(jax.tree.map(partial(first_rows, len(chunk)), result))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *results)


def first_rows(num: int, leaf: jax.Array | np.ndarray) -> np.ndarray:
    """Copy the first ``num`` rows of an array to the host."""
    return np.asarray(leaf)[:num]
