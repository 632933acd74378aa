"""Checks of the values in a spec file. Each error names the key."""

from collections.abc import Iterable
from typing import Any, TypeGuard, TypeVar

from rig.errors import ConfigError, suggest


Value = TypeVar("Value")


def read_seeds(value: object) -> list[int]:
    """Return the seeds listed, or the first ones if a number is given."""
    if is_int(value) and value >= 1:
        return list(range(value))
    if isinstance(value, list) and value and all(map(is_int, value)):
        return check_distinct(value, "seeds")
    raise ConfigError(f"seeds must be a number of seeds or a list of them, got {value!r}")


def read_count(value: object, key: str) -> int:
    """Return a whole number of at least 1."""
    if is_int(value) and value >= 1:
        return value
    raise ConfigError(f"{key} must be a whole number of at least 1, got {value!r}")


def is_int(value: object) -> TypeGuard[int]:
    """Return whether a value is a whole number. In Python, true is one too."""
    return isinstance(value, int) and not isinstance(value, bool)


def read_tasks(value: object) -> list[str]:
    """Return a list of names."""
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return value
    raise ConfigError(f'tasks must list names, as tasks = ["Reach"], got {value!r}')


def read_name(value: object, key: str) -> str:
    """Return a name."""
    if isinstance(value, str):
        return value
    raise ConfigError(f'{key} must be a name, as {key} = "fast", got {value!r}')


def read_table(value: object, key: str) -> dict[str, Any]:
    """Return a table of settings."""
    if isinstance(value, dict):
        return value
    raise ConfigError(f"{key} must be a table, as {key}.td3.gamma = 0.9, got {value!r}")


def check_distinct(values: list[Value], key: str) -> list[Value]:
    """Return a list; raise ConfigError if it names a value twice."""
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"{key} lists {value!r} twice")
    return values


def check_keys(keys: Iterable[str], known: set[str]) -> None:
    """Raise ConfigError at a key that a spec does not have."""
    for key in keys:
        if key not in known:
            raise ConfigError(f"unknown key {key!r}: {suggest(key, known)}")
