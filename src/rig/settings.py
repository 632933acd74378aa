"""Settings as one level of dotted names, ``td3.gamma``: read from files, and changed."""

from dataclasses import asdict, is_dataclass
from typing import Any, TypeVar

from rig.config import Config
from rig.errors import ConfigError, suggest
from rig.validation import check, plain, require, types_of


Settings = TypeVar("Settings")


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level: ``td3.gamma``."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        here = f"{prefix}{name}"
        result |= flat(value, f"{here}.") if isinstance(value, dict) else {here: value}
    return result


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that :func:`flat` made flat as they were."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        *parents, name = key.split(".")
        place = result
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return result


def change(config: Config, changes: dict[str, Any]) -> Config:
    """Return the settings with some changed; ``changes`` is flat, as TOML and JSON have values.

    Raises:
        ConfigError: A name is unknown, or a value is of the wrong kind or out of its range.
    """
    before = flat(asdict(config))
    for key in changes:
        if key not in before:
            raise ConfigError(f"unknown setting {key!r}: {suggest(key, before)}")
    return from_dict(Config, nested(before | changes))


def from_dict(kind: type[Settings], values: dict[str, Any], group: str = "") -> Settings:
    """Return settings from the values that ``dataclasses.asdict`` and JSON leave.

    Args:
        kind: The class of the settings.
        values: By name; groups of settings are dictionaries.
        group: What error messages put before each name: ``td3.``.

    Raises:
        ConfigError: A key is unknown, or a value is of the wrong kind or out of its range.
    """
    types = types_of(kind)  # type: ignore[arg-type]
    for name in values:
        if name not in types:
            raise ConfigError(f"unknown key {name!r}, {suggest(name, types)}")
    return kind(**{name: restore(types[name], v, group + name) for name, v in values.items()})


def restore(kind: Any, value: Any, key: str) -> Any:
    """Return a value as its field has it: JSON has neither tuples nor dataclasses."""
    if is_dataclass(kind):
        require(isinstance(value, dict), f"{key} must be a group of settings, got {value!r}")
        return from_dict(kind, value, f"{key}.")  # type: ignore[arg-type]
    if isinstance(value, list):
        value = tuple(value)
    check(key, kind, value)
    return float(value) if plain(kind) is float and type(value) is int else value


def option(key: str, value: Any) -> list[str]:
    """Return a setting as the command line has it."""
    flag = key.rstrip("_").replace("_", "-")  # from_ is "from", which Python keeps for itself
    if isinstance(value, bool):
        parent, _, name = flag.rpartition(".")
        return [f"--{flag}" if value else f"--{parent}{'.' if parent else ''}no-{name}"]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{flag}", *map(str, values)]
