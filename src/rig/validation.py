"""Checks of settings: each value against its type, and the range that the type states.

A range is metadata of the type, as ``annotated_types`` has it::

    gamma: Annotated[float, Interval(ge=0, lt=1)] = 0.99
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import MinLen

from rig.errors import ConfigError


MOST = 10**12
"""No number in the settings is larger."""
NUMBERS: dict[type, tuple[type, ...]] = {int: (int,), float: (float, int)}
NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def require(is_right: bool, message: str) -> None:
    """Raise ConfigError with the message unless the setting is right."""
    if not is_right:
        raise ConfigError(message)


class Checked:
    """A dataclass whose values are checked against their types when it is made."""

    def __post_init__(self) -> None:
        group: Any = type(self)
        for name, kind in types_of(group).items():
            check(name, kind, getattr(self, name))


@cache
def types_of(kind: Any) -> dict[str, Any]:
    """Return the types of a dataclass's fields, with their metadata."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    return {entry.name: hints[entry.name] for entry in fields(kind)}


def plain(kind: Any) -> Any:
    """Return a type without its metadata; of a choice between types, the first one."""
    if is_choice(kind):
        return plain(get_args(kind)[0])
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def is_choice(kind: Any) -> bool:
    """Return whether a type is a choice between types, as a number or ``auto``."""
    return get_origin(kind) in (Union, UnionType)


def check(name: str, kind: Any, value: Any) -> None:
    """Raise ConfigError unless the value is of its type and in the range stated there."""
    if (range_ := wanted(kind, value)) is not None:
        raise ConfigError(f"{name} must be {range_}, got {value!r}")


def wanted(kind: Any, value: Any) -> str | None:
    """Return what the value should be, in words; None if it is right."""
    if is_choice(kind):
        words = [wanted(each, value) for each in get_args(kind)]
        return None if None in words else " or ".join(map(str, words))
    metadata = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    kind = plain(kind)
    if get_origin(kind) is Literal:
        return None if value in get_args(kind) else listed(kind)
    if get_origin(kind) is tuple:
        return wanted_tuple(kind, metadata, value)
    if kind in NUMBERS:
        if type(value) not in NUMBERS[kind] or abs(value) > MOST:
            return NAMES[kind]
        is_inside = all(is_above(value, entry) and is_below(value, entry) for entry in metadata)
        return None if is_inside else in_words(metadata)
    return NAMES[kind] if kind in NAMES and type(value) is not kind else None


def wanted_tuple(kind: Any, metadata: Iterable[Any], value: Any) -> str | None:
    """Return what a tuple should be, in words: its length is checked, and each value."""
    first, *rest = get_args(kind)
    least = max(
        (entry.min_length for entry in metadata if isinstance(entry, MinLen)), default=0
    )
    num = None if rest == [...] else 1 + len(rest)
    if not isinstance(value, tuple) or len(value) < least or num not in (None, len(value)):
        return f"a list of {num or f'at least {least}'} value(s)"
    wrong = next(filter(None, (wanted(first, each) for each in value)), None)
    return wrong and f"{wrong} in each place"


def is_above(value: float, bound: Any) -> bool:
    """Return whether a value is not below a range; NaN is in no range."""
    ge, gt = getattr(bound, "ge", None), getattr(bound, "gt", None)
    return (ge is None or value >= ge) and (gt is None or value > gt)


def is_below(value: float, bound: Any) -> bool:
    """Return whether a value is not above a range; NaN is in no range."""
    le, lt = getattr(bound, "le", None), getattr(bound, "lt", None)
    return (le is None or value <= le) and (lt is None or value < lt)


def in_words(metadata: Iterable[Any]) -> str:
    """Return a range as a message has it: ``in [0, 1)``, ``at least 1`` or ``above 0``."""
    found = {
        key: getattr(entry, key)
        for entry in metadata
        for key in ("ge", "gt", "le", "lt")
        if getattr(entry, key, None) is not None
    }
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    if len(found) == 1:
        ((key, bound),) = found.items()
        return f"{words[key]} {bound}"
    (low_key, low), (high_key, high) = found.items()
    opening, closing = {"ge": "[", "gt": "("}[low_key], {"le": "]", "lt": ")"}[high_key]
    return f"in {opening}{low}, {high}{closing}"


def listed(kind: Any) -> str:
    """Return the choices of a type in words: ``48 or 84``."""
    *others, last = map(str, get_args(kind))
    return f"{', '.join(others)} or {last}" if others else last
