"""Queries of the index: which runs, in which order."""

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

from rig.errors import ConfigError, suggest
from rig.sweep.index import Row
from rig.training.progress import shown_metrics
from rig.units import duration


CONDITION = re.compile(r"\s*(?P<name>[\w./]+)\s*(?P<sign><=|>=|!=|=|<|>)\s*(?P<value>.+?)\s*")
COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NUMBERS = ("seed", "num_env_steps", "training_s")
TEXTS = ("directory", "study", "method", "task", "preset", "state", "date", "made_at_commit")
"""Columns of each kind. In a text column, 42 is a text."""
FOLDED = ("study", "method", "task", "preset")
"""Text columns in which upper and lower case are the same."""
COLUMNS = ("run", "task", "method or preset", "seed", "state", "steps", "time", "distance")


def select(rows: Sequence[Row], conditions: Sequence[str], sort: str = "date") -> list[Row]:
    """Return the runs that meet every condition, sorted; runs without the key come last.

    Args:
        rows: The index.
        conditions: As ``td3.gamma=0.98``, ``task=Push`` or ``eval/puck_distance_m<0.03``.
        sort: A column, setting or metric; with a minus in front, the largest first.

    Raises:
        ConfigError: A condition can't be read, or no run has the name.
    """
    known = {*NUMBERS, *TEXTS}
    for row in rows:
        known |= {*row.get("settings", ()), *row.get("metrics", ())}
    tests = [parse_condition(text, known) for text in conditions]
    found = [row for row in rows if all(test(row) for test in tests)]
    found.sort(key=lambda row: row["directory"])
    key = check_name(sort.removeprefix("-"), known)
    has_key = [row for row in found if value_of(row, key) is not None]
    has_key.sort(key=lambda row: sort_key(value_of(row, key)), reverse=sort.startswith("-"))
    return has_key + [row for row in found if value_of(row, key) is None]


def parse_condition(text: str, known: set[str]) -> Callable[[Row], bool]:
    """Return a test of a row. A row without the value meets no condition."""
    match = CONDITION.fullmatch(text)
    if not match:
        raise ConfigError(
            f"--where {text!r} is not a condition: write NAME=VALUE, or use !=, <, <=, >, >="
        )
    name, sign = check_name(match["name"], known), match["sign"]
    wanted = fold(name, match["value"]) if name in TEXTS else parse_value(match["value"])
    if name not in TEXTS and sign not in ("=", "!=") and not is_number(wanted):
        raise ConfigError(f"--where {text!r}: {name} is a number, and {wanted!r} is not one")

    def test(row: Row) -> bool:
        value = value_of(row, name)
        if value is None or (sign not in ("=", "!=") and type(value) is bool):
            return False
        with suppress(TypeError):  # a text has no order with a number
            return COMPARE[sign](fold(name, value), wanted)
        return False

    return test


def check_name(name: str, known: set[str]) -> str:
    """Return a name; raise ConfigError if no run has it."""
    if name not in known:
        raise ConfigError(f"no run has {name!r}: {suggest(name, known)}")
    return name


def value_of(row: Row, name: str) -> Any:
    """Return a column, setting or metric of a run; None if the run does not have it."""
    for part in (row, row.get("settings", {}), row.get("metrics", {})):
        if name in part:
            return part[name]
    return None


def fold(name: str, value: Any) -> Any:
    """Return a value as it is compared."""
    if isinstance(value, tuple | list):
        return list(value)
    return value.casefold() if name in FOLDED and isinstance(value, str) else value


def sort_key(value: Any) -> tuple[bool, Any]:
    """Return a key by which numbers come before texts."""
    return (False, value) if isinstance(value, int | float) else (True, str(value))


def parse_value(text: str) -> Any:
    """Return a number, truth value or list if the text is one, else the text."""
    with suppress(ValueError):
        number = float(text)  # it also reads .5 and 1_000
        return number if isfinite(number) else text
    with suppress(ValueError, RecursionError):
        value = json.loads(text.lower() if text in ("True", "False") else text)
        return value if isinstance(value, list | bool) else text
    return text


def is_number(value: object) -> bool:
    """Return whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def cells(row: Row) -> list[str]:
    """Return the cells of a run; those that are not known are empty."""
    if row["state"] == "damaged":
        return [row["directory"], "", "", "", row["state"], "", "", ""]
    steps, training_s = row["num_env_steps"], row["training_s"]
    known = {name: value for name, value in row["distances"].items() if value is not None}
    return [
        row["directory"],
        row["task"],
        row["method"] or row["preset"],
        str(row["seed"]),
        row["state"],
        "" if steps is None else f"{steps:,}",
        "" if training_s is None else duration(training_s),
        ", ".join(shown_metrics(known).values()),
    ]
