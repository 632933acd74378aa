"""Reads and checks the TOML file of a robot.

Every value is checked. A key that is not known is an error, so that a limit with a typing
mistake is never a limit that is not there.
"""

import tomllib
from dataclasses import MISSING, fields, replace
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from rig.errors import ConfigError, suggest
from rig.robots.config import RobotConfig
from rig.robots.config_checks import check_config


Group = TypeVar("Group")
NAMES = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
LARGEST = 10**300
"""Whole numbers from here on are no numbers: a float can't hold them all."""
COMPUTED = ("digest", "file")
"""Entries that say something about the file, so that no file sets them."""


def read_config(path: Path | str) -> RobotConfig:
    """Read and check a TOML file.

    Raises:
        ConfigError: The file can't be read, or a value is missing, unknown or wrong.
    """
    config = parse(read_bytes(Path(path)), str(path))
    return replace(config, file=str(Path(path).resolve()))


def read_bytes(path: Path) -> bytes:
    """Return the content of a robot's file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} can't be read: {error.strerror}; name a robot's TOML file"
        ) from error


def parse(data: bytes, name: str) -> RobotConfig:
    """Return the settings in a TOML text; ``name`` is what errors call it."""
    try:
        tables = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} is not TOML: {error}") from error
    config = group(RobotConfig, tables, name)
    check_config(config, name)
    return replace(config, digest=sha256(data).hexdigest())


def group(kind: type[Group], table: object, place: str) -> Group:
    """Return a group of settings made from a TOML table."""
    if not isinstance(table, dict):
        raise ConfigError(f"{place} must be a table, got {table!r}")
    entries = fields(kind)  # type: ignore[arg-type]
    known = {entry.name: entry for entry in entries if entry.name not in COMPUTED}
    for key in table:
        if key not in known:
            raise ConfigError(f"{place} has no setting {key!r}: {suggest(key, known)}")
    for key, entry in known.items():
        is_needed = entry.default is MISSING and entry.default_factory is MISSING
        if is_needed and key not in table:
            raise ConfigError(f"{place} needs {key!r}: add it to the file")
    return kind(**{key: value(known[key].type, table[key], f"{place}: {key}") for key in table})


def value(kind: Any, given: Any, place: str) -> Any:
    """Return one setting, checked against its type."""
    if hasattr(kind, "__dataclass_fields__"):
        return group(kind, given, place)
    if get_origin(kind) is tuple:
        each = get_args(kind)[0]
        if not isinstance(given, list):
            raise ConfigError(f"{place} must be a list, got {given!r}")
        return tuple(value(each, number, place) for number in given)
    if kind not in NAMES:
        if not isinstance(given, dict):
            raise ConfigError(f"{place} must be a table, got {given!r}")
        return given
    if kind is float and type(given) is int and abs(given) < LARGEST:
        given = float(given)
    if type(given) is not kind or (kind is float and not isfinite(given)):
        raise ConfigError(f"{place} must be {NAMES[kind]}, got {given!r}")
    return given
