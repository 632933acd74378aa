"""Asking the index: which runs, in which order."""

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

from rig.errors import ConfigError, suggest
from rig.sweep.index_row import COLUMNS, JSON_COLUMNS, Row, as_text
from rig.training.progress import shown_metrics
from rig.units import duration


CONDITION = re.compile(r"\s*(?P<name>[\w./]+)\s*(?P<sign><=|>=|!=|=|<|>)\s*(?P<value>.+?)\s*")
INEQUALITIES = ("<", "<=", ">", ">=")
SHOWN = ("run", "task", "method or preset", "seed", "state", "steps", "time", "distance left")


def select(
    connection: sqlite3.Connection, conditions: Sequence[str], sort: str = "date"
) -> list[Row]:
    """The runs that meet every condition, sorted; runs without the key sorted by come last.

    Args:
        connection: The index.
        conditions: Like ``td3.gamma=0.98``, ``task=Push`` or ``eval/puck_distance_m<0.03``.
        sort: A column, setting or metric; with a minus before it, the largest first.

    Raises:
        ConfigError: A condition is none, or names what no run has.
    """
    names = known_names(connection)
    parsed = [condition(text, names) for text in conditions]
    where = " AND ".join(sql for sql, _ in parsed) or "1"
    key = expression(sort.removeprefix("-"), names)
    order = "DESC" if sort.startswith("-") else "ASC"
    found = connection.execute(
        f"SELECT * FROM runs WHERE {where} ORDER BY {key} {order} NULLS LAST, directory",
        [value for _, value in parsed],
    )
    return [row_as_values(row) for row in found]


def known_names(connection: sqlite3.Connection) -> dict[str, str]:
    """Everything that can be asked about, and where it is found: a column's name or JSON."""
    names: dict[str, str] = {}
    for column in ("metrics", "settings"):
        keys = connection.execute(
            f"SELECT DISTINCT key FROM runs, json_each(runs.{column}) WHERE {column} NOTNULL"
        )
        names |= {key: extraction(column, key) for (key,) in keys}
    return names | {name: name for name in COLUMNS if name not in JSON_COLUMNS}


def extraction(column: str, key: str) -> str:
    """What a JSON column holds under a key, as SQL; a run may have any key."""
    quoted = key.replace("'", "''")
    return f"""json_extract({column}, '$."{quoted}"')"""


def condition(text: str, names: dict[str, str]) -> tuple[str, Any]:
    """A condition as SQL with a gap, and the value for the gap."""
    match = CONDITION.fullmatch(as_text(text))
    if not match:
        raise ConfigError(
            f"--where {text!r} is no condition: write NAME=VALUE, or with !=, <, <=, >, >="
        )
    name, sign = match["name"], match["sign"]
    if is_text(name):
        return f"{expression(name, names)} {sign} ?", match["value"]
    value = value_of(match["value"])
    if sign in INEQUALITIES and isinstance(value, str):
        raise ConfigError(f"--where {text!r}: {name} is a number, and {value!r} is none")
    return f"{expression(name, names)} {sign} ?", value


def is_text(name: str) -> bool:
    """Whether a column holds words, be they a number's: they have an order too, as dates do."""
    return COLUMNS.get(name, "").startswith("TEXT")


def expression(name: str, names: dict[str, str]) -> str:
    """Where a name is found, as SQL; only names that some run has get this far."""
    if name not in names:
        raise ConfigError(f"no run has {name!r}: {suggest(name, names)}")
    return names[name]


def value_of(text: str) -> Any:
    """A value as the index holds it: a number, a list as JSON has it, or words."""
    with suppress(ValueError):
        number = float(text)  # which takes .5 and 1_000 too
        return number if isfinite(number) else text
    try:
        value = json.loads(text.lower() if text in ("True", "False") else text)
    except json.JSONDecodeError:
        return text
    if isinstance(value, list):
        return json.dumps(value, separators=(",", ":"))
    return value if isinstance(value, bool) else text


def row_as_values(row: sqlite3.Row) -> Row:
    """A row with its JSON read, and without what only the index needs."""
    values = {name: row[name] for name in COLUMNS if name != "stamp"}
    return values | {name: json.loads(values[name] or "{}") for name in JSON_COLUMNS}


def cells(row: Row) -> list[str]:
    """A run as the cells of a table; empty where something is not known."""
    if row["task"] is None:
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
