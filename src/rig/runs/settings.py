"""Settings as one level of dotted names, ``td3.gamma``, and what they change of a preset."""

from dataclasses import asdict, fields, is_dataclass, replace
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from rig.config import Config, require
from rig.errors import ConfigError, suggest
from rig.presets import PAPER, PRESETS, find_preset


NAMED_CHANGES = 6
"""At most so many changes to a preset are told one by one."""
GIVES_TRUTH = ("oracle", "input", "reward.distance")
"""Settings that no preset changes: a run that did was given the true state."""


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level: ``td3.gamma``."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        here = f"{prefix}{name}"
        result |= flat(value, f"{here}.") if isinstance(value, dict) else {here: value}
    return result


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """What :func:`flat` made flat."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        *parents, name = key.split(".")
        place = result
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = value
    return result


def change(config: Config, changes: dict[str, Any]) -> Config:
    """The settings with some changed; ``changes`` is flat, as TOML and JSON have values.

    Raises:
        ConfigError: A name is unknown, or a value is of the wrong kind or out of its range.
    """
    standard = flat(asdict(config))
    for key in changes:
        if key not in standard:
            raise ConfigError(f"unknown setting {key!r}: {suggest(key, standard)}")
    kept = {key: like(standard[key], value, key) for key, value in changes.items()}
    return from_dict(Config, nested(standard | kept))


def like(standard: Any, value: Any, key: str) -> Any:
    """A value as its setting wants it: TOML has no tuples, and writes 1 for 1.0."""
    if isinstance(standard, tuple) and isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(standard, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(standard):
        raise ConfigError(f"{key} must be like {standard!r}, got {value!r}")
    return value


def option(key: str, value: Any) -> list[str]:
    """A setting as the command line has it."""
    flag = key.replace("_", "-")
    if isinstance(value, bool):
        parent, _, name = flag.rpartition(".")
        return [f"--{flag}" if value else f"--{parent}{'.' if parent else ''}no-{name}"]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{flag}", *map(str, values)]


def preset_of(config: Config) -> str:
    """The nearest preset, and how the settings differ from it."""
    name = nearest_preset(config)
    changed = changes_from(name, config)
    if not changed:
        return f"{name} preset"
    if len(changed) > NAMED_CHANGES:
        truths = {key: changed[key] for key in GIVES_TRUTH if key in changed}
        among = f", among them {named(truths)}" if truths else ""
        return f"{name} preset with {len(changed)} settings changed{among}"
    return f"{name} preset with {named(changed)}"


def named(values: dict[str, Any]) -> str:
    """Settings and their values in words."""
    return ", ".join(f"{key} {value}" for key, value in values.items())


def learned_from(config: Config) -> str:
    """What a run learned from, in words: a run that was given the truth never hides it."""
    if config.oracle:
        return "the true state (oracle)"
    seen = "the true state" if config.input == "true" else "camera images"
    if not config.is_hybrid:
        return f"{seen} alone"
    return f"{seen}, rewarded by {config.reward.distance} distance (a check of its halves)"


def nearest_preset(config: Config) -> str:
    """The name of the preset that differs least."""
    return min(PRESETS, key=lambda name: len(changes_from(name, config)))


def changes_from(preset: str, config: Config) -> dict[str, Any]:
    """The settings that differ from a preset's; the seed does not count."""
    return differences(find_preset(preset, config.task), config)


def changes_from_published(config: Config) -> dict[str, Any]:
    """The settings that differ from RIG's as published; task and seed do not count.

    A preset may move and a task may have one of its own: these stay what they were.
    """
    return differences(replace(PAPER, task=config.task), config)


def differences(standard: Config, config: Config) -> dict[str, Any]:
    """The settings that differ; the seed does not count."""
    usual = flat(asdict(replace(standard, seed=config.seed)))
    return {key: v for key, v in flat(asdict(config)).items() if usual[key] != v}


Settings = TypeVar("Settings")


def from_dict(kind: type[Settings], values: dict[str, Any]) -> Settings:
    """Settings from the plain values that ``dataclasses.asdict`` and JSON leave.

    Raises:
        ConfigError: A key is unknown; the message names the nearest known one.
    """
    hints = hints_of(kind)  # type: ignore[arg-type]
    known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise ConfigError(f"unknown key {name!r}, {suggest(name, known)}")
    return kind(**{name: _restore(hints[name], value) for name, value in values.items()})


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields: a study reads the same few a thousand times."""
    return get_type_hints(kind)


def _restore(kind: Any, value: Any) -> Any:
    """A value as its field's type wants it: JSON has neither tuples nor dataclasses."""
    if is_dataclass(kind):
        require(isinstance(value, dict), f"{value!r} holds no settings by name")
        return from_dict(kind, value)  # type: ignore[arg-type]
    if get_origin(kind) is tuple:
        require(isinstance(value, list | tuple), f"{value!r} is no list")
        return tuple(_restore(get_args(kind)[0], entry) for entry in value)
    if get_origin(kind) is Literal:
        known = get_args(kind)
        require(value in known, f"{value!r} is none of {', '.join(map(str, known))}")
    if kind in PLAIN:
        is_right = type(value) in PLAIN[kind] and (kind is str or abs(value) <= MOST)
        require(is_right, f"{value!r} is no {kind.__name__} that a setting could be")
    return value


PLAIN: dict[Any, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (float, int),
    str: (str,),
}
MOST = 10**12
"""No setting is larger."""
