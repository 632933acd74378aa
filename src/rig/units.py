"""Distances by name, as ``puck_m``: a thing, and the unit that its distance is in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """How distances in one unit are shown to a person."""

    shown: str
    scale: float
    """From the unit to the one that is shown."""
    decimals: int


UNITS = {
    "m": Unit("cm", 100.0, 1),
    "rad": Unit("rad", 1.0, 3),
    "levels": Unit("levels", 1.0, 1),
}
"""By the last word of a distance's name; levels are grey levels of 255, root mean square."""


def thing_of(name: str) -> str:
    """What a distance is of."""
    return name.rsplit("_", 1)[0]


def unit_of(name: str) -> Unit:
    """The unit that a distance is shown in; one that is not known is shown as it is."""
    unit = name.rsplit("_", 1)[-1]
    return UNITS.get(unit, Unit(unit, 1.0, 3))


def metric_of(name: str) -> str:
    """The metric in which a distance is logged: ``puck_distance_m``."""
    thing, unit = name.rsplit("_", 1)
    return f"{thing}_distance_{unit}"


def label_of(name: str) -> str:
    """What a distance is of, with its unit if it is not centimetres."""
    unit = unit_of(name)
    return thing_of(name) if unit == UNITS["m"] else f"{thing_of(name)}, {unit.shown}"


def number(name: str, value: float) -> str:
    """A distance as it is shown, without its unit."""
    unit = unit_of(name)
    return f"{unit.scale * value:.{unit.decimals}f}"


def amount(name: str, value: float) -> str:
    """A distance as it is shown, with its unit."""
    return f"{number(name, value)} {unit_of(name).shown}"
