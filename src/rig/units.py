"""Distances and durations as text.

A distance is named after its object and its unit, as ``puck_m``.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """How distances in one unit are shown."""

    shown: str
    scale: float
    """Factor from the unit to the one that is shown."""
    decimals: int


UNITS = {
    "m": Unit("cm", 100.0, 1),
    "rad": Unit("rad", 1.0, 3),
    "levels": Unit("levels", 1.0, 1),
}
"""By the last word of a distance's name. Levels: root mean square of grey levels, 0 to 255."""


def object_of(name: str) -> str:
    """Return the object that a distance belongs to."""
    return name.rsplit("_", 1)[0]


def unit_of(name: str) -> Unit:
    """Return the unit that a distance is shown in; an unknown unit is shown as it is."""
    return unit_named(name.rsplit("_", 1)[-1])


def unit_named(unit: str) -> Unit:
    """Return how a unit is shown; an unknown one is shown as it is."""
    return UNITS.get(unit, Unit(unit, 1.0, 3))


def metric_of(name: str) -> str:
    """Return the name of the metric that logs a distance: ``puck_distance_m``."""
    object_name, unit = name.rsplit("_", 1)
    return f"{object_name}_distance_{unit}"


def label_of(name: str) -> str:
    """Return the object of a distance, with the unit unless it is centimetres."""
    unit = unit_of(name)
    return object_of(name) if unit == UNITS["m"] else f"{object_of(name)}, {unit.shown}"


def number(name: str, value: float) -> str:
    """Return a distance as text, without its unit."""
    unit = unit_of(name)
    return f"{unit.scale * value:.{unit.decimals}f}"


def amount(name: str, value: float) -> str:
    """Return a distance as text, with its unit."""
    return f"{number(name, value)} {unit_of(name).shown}"


def duration(seconds: float) -> str:
    """Return a duration as text: ``48 s``, ``2 min 5 s``, ``1 h 4 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
