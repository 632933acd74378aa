"""What a spec's file may say: each value checked, and told with its key where it is wrong."""

from collections.abc import Iterable
from typing import Any, TypeGuard, TypeVar

from rig.errors import ConfigError, suggest


Value = TypeVar("Value")


def whole_numbers(asked: object, key: str) -> list[int]:
    """So many numbers from 0 on, or those listed."""
    if is_whole(asked) and asked >= 1:
        return list(range(asked))
    if isinstance(asked, list) and asked and all(map(is_whole, asked)):
        return once(asked, key)
    raise ConfigError(f"{key} must be a number of {key} or a list of them, got {asked!r}")


def at_least_1(asked: object, key: str) -> int:
    """A number of things."""
    if is_whole(asked) and asked >= 1:
        return asked
    raise ConfigError(f"{key} must be a whole number of at least 1, got {asked!r}")


def is_whole(asked: object) -> TypeGuard[int]:
    """Whether it is a whole number: Python takes true for 1."""
    return isinstance(asked, int) and not isinstance(asked, bool)


def names(asked: object, key: str) -> list[str]:
    """A list of names."""
    if isinstance(asked, list) and asked and all(isinstance(name, str) for name in asked):
        return asked
    raise ConfigError(f'{key} must list names, as {key} = ["Reach"], got {asked!r}')


def name(asked: object, key: str) -> str:
    """A name."""
    if isinstance(asked, str):
        return asked
    raise ConfigError(f'{key} must be a name, as {key} = "fast", got {asked!r}')


def table(asked: object, key: str) -> dict[str, Any]:
    """A table of settings."""
    if isinstance(asked, dict):
        return asked
    raise ConfigError(f"{key} must be a table, as {key}.td3.gamma = 0.9, got {asked!r}")


def once(asked: list[Value], key: str) -> list[Value]:
    """The same list, in which nothing is said twice."""
    for value in asked:
        if asked.count(value) > 1:
            raise ConfigError(f"{key} lists {value!r} twice")
    return asked


def check_keys(asked: Iterable[str], known: set[str]) -> None:
    """Raises ConfigError at a key that a spec does not have."""
    for key in asked:
        if key not in known:
            raise ConfigError(f"unknown key {key!r}: {suggest(key, known)}")
