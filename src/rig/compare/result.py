"""A result: what is kept of one finished run, and what can be read off it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_origin

import numpy as np
from jaxtyping import Float64

from rig.errors import RunError
from rig.runs.old_names import with_new_names
from rig.runs.settings import GIVES_TRUTH
from rig.units import UNITS


STEPS, TRAINING_S = "num_env_steps", "training_s"
HAND = "hand"
TOO_LARGE = 2**63
"""From here on whole numbers do not fit into 64 bits."""
DISTANCE = re.compile(
    rf"eval/(?!do_nothing_)(?P<thing>\w+)_distance_(?P<unit>{'|'.join(UNITS)})"
)
"""An evaluation's medians: of what, and in which unit."""

Curve = Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One finished run."""

    id: str
    """Its directory's name."""
    study: str
    """The study that it belongs to; empty for a run by itself."""
    task: str
    method: str
    seed: int
    preset: str
    changes: Mapping[str, Any]
    """What it changes of RIG as published, flat: a preset may mean another thing one day."""
    command: str
    commit: str
    device: str
    date: str
    curve: Curve
    """Columns of equal length: steps, seconds of training without evaluation, distances."""

    @property
    def is_oracle(self) -> bool:
        """Whether it was given the true state in place of images."""
        return bool(self.changes.get("oracle", False))

    @property
    def is_given_truth(self) -> bool:
        """Whether anything that learned was given the true state: a check, and no method."""
        return any(name in self.changes for name in GIVES_TRUTH)

    @property
    def things(self) -> dict[str, str]:
        """What was measured, and its unit: ``{"hand": "m", "puck": "m"}``."""
        return things_in(self.curve)

    def column(self, key: str) -> Float64[np.ndarray, " points"]:
        """One column of the curve."""
        return np.asarray(self.curve[key], np.float64)

    def distances(self, thing: str) -> Float64[np.ndarray, " points"]:
        """The median distance of a thing at each evaluation, metres or radians."""
        return self.column(f"eval/{thing}_distance_{self.things[thing]}")

    def final(self, thing: str) -> float:
        """The distance at the last evaluation."""
        return float(self.distances(thing)[-1])

    def do_nothing(self, thing: str) -> float:
        """What doing nothing scores."""
        return float(self.curve[nothing_key(thing, self.things[thing])][-1])

    @property
    def main_things(self) -> list[str]:
        """What the task is about: all that is no hand, or the hand if there is nothing else."""
        return [thing for thing in self.things if thing != HAND] or list(self.things)

    @property
    def has_way(self) -> bool:
        """Whether doing nothing leaves a way to go, without which there is no share of it."""
        return all(self.do_nothing(thing) != 0 for thing in self.main_things)

    @property
    def share_left(self) -> float:
        """The share of the way that is left, the mean over what the task is about.

        It is the last distance over what doing nothing scores, so that metres and radians can
        be put together: 0 is at the goal, 1 is no better than standing still.
        """
        ways = [(self.final(thing), self.do_nothing(thing)) for thing in self.main_things]
        return float(np.mean([left / way for left, way in ways]))

    @property
    def num_env_steps(self) -> int:
        """Environment steps at the last evaluation."""
        return int(self.curve[STEPS][-1])

    @property
    def training_s(self) -> float:
        """Seconds of training until then."""
        return float(self.curve[TRAINING_S][-1])


def things_in(curve: Iterable[str]) -> dict[str, str]:
    """What is measured in columns of these names, and its unit."""
    found = [match for key in curve if (match := DISTANCE.fullmatch(key))]
    return {match["thing"]: match["unit"] for match in found}


def nothing_key(thing: str, unit: str) -> str:
    """The column that tells what doing nothing scores."""
    return f"eval/do_nothing_{thing}_distance_{unit}"


def result_from(written: object) -> Result:
    """The result that was written down as JSON, by us or by anyone.

    Raises:
        RunError: A field is missing, unknown or of another type, or the curve is none.
    """
    kinds = {entry.name: get_origin(entry.type) or entry.type for entry in fields(Result)}
    if not isinstance(written, dict) or set(written) != set(kinds):
        raise RunError(f"no object with the keys {', '.join(kinds)}")
    for name, kind in kinds.items():
        if isinstance(kind, type) and not isinstance(written[name], kind):
            raise RunError(f"its {name} is {written[name]!r:.40}, and no {kind.__name__}")
    check_curve(written["curve"])
    return Result(**written | {"changes": with_new_names(written["changes"])})


def check_curve(curve: Mapping[str, Any]) -> None:
    """Refuses what is no curve; a distance may be NaN, steps and seconds may not.

    Raises:
        RunError: Columns are missing, are no numbers, or are not of one length.
    """
    lengths = {len(column) if is_numbers(column) else 0 for column in curve.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise RunError("its curve has columns without numbers, or not as many in each")
    things = things_in(curve)
    needed = [STEPS, TRAINING_S, *(nothing_key(*pair) for pair in things.items())]
    if missing := [key for key in needed if key not in curve]:
        raise RunError(f"its curve lacks {', '.join(missing)}")
    if not things:
        raise RunError("its curve has no distance")
    if not np.isfinite([curve[STEPS], curve[TRAINING_S]]).all():
        raise RunError(f"its {STEPS} or {TRAINING_S} are not finite")


def is_numbers(column: object) -> bool:
    """Whether it is a sequence of numbers that fit into 64 bits."""
    return isinstance(column, Sequence) and all(
        type(value) is float or (type(value) is int and abs(value) < TOO_LARGE)
        for value in column
    )
