"""The objects in a data set, each with its columns of the true states."""

import ast
from collections.abc import Mapping
from pathlib import Path

from rig.errors import DataSetError


UNREADABLE_TEXT = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)

Objects = Mapping[str, list[int]]
"""The columns of the true state that belong to each object."""


def parse_objects(path: Path, text: str, num_columns: int) -> Objects:
    """Return the objects that a text names, each with its columns of the states."""
    try:
        objects = ast.literal_eval(text)
    except UNREADABLE_TEXT as error:
        raise DataSetError(
            f"{path}: things is {text[:60]!r}, no dictionary: write \"{{'hand': [0, 1]}}\""
        ) from error
    if not isinstance(objects, dict) or not objects:
        raise DataSetError(f"{path}: things is {text[:60]!r}: it must name at least one object")
    for name, columns in objects.items():
        if not isinstance(name, str) or not are_columns(columns, num_columns):
            raise DataSetError(
                f"{path}: things has {name!r}: {str(columns)[:60]}: give a list of columns of "
                f"states, whole numbers from 0 to {num_columns - 1}, each once"
            )
    return {name: list(columns) for name, columns in objects.items()}


def are_columns(columns: object, num_columns: int) -> bool:
    """Return whether a value lists columns, each once."""
    if not isinstance(columns, list | tuple) or not columns:
        return False
    are_inside = all(type(each) is int and 0 <= each < num_columns for each in columns)
    return are_inside and len(set(columns)) == len(columns)
