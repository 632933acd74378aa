"""Distances as people read them.

A distance's name ends in the unit it is measured in, as ``puck_m`` and ``door_rad``; lengths
are shown in centimetres.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A unit that people read."""

    name: str
    scale: float = 1.0
    """What brings a number that was measured to this unit."""
    digits: int = 3
    """Digits shown after the point."""

    def show(self, value: float) -> str:
        """A measured number in this unit, without the unit's name."""
        return f"{self.scale * value:.{self.digits}f}"


SHOWN = {
    "m": Unit(name="cm", scale=100.0, digits=1),
    "rad": Unit(name="rad"),
}
"""For each unit of measurement, the one shown."""


def split(name: str) -> tuple[str, Unit]:
    """The thing, and the unit to show, of a distance: a puck and centimetres of ``puck_m``."""
    thing, _, ending = name.rpartition("_")
    return (thing, SHOWN[ending]) if ending in SHOWN else (name, Unit(name=""))


def in_words(name: str, value: float) -> str:
    """The value of the distance of that name, with its unit: ``1.2 cm``."""
    unit = split(name)[1]
    return f"{unit.show(value)} {unit.name}".rstrip()
