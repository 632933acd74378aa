"""A result: the record of one finished run, and the numbers read off it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_origin

import numpy as np
from jaxtyping import Float64

from rig.errors import RunError
from rig.runs.old_names import CHOICES, SETTINGS, with_new_names
from rig.runs.settings import GIVES_TRUTH


STEPS, TRAINING_S = "num_env_steps", "training_s"
HAND = "hand"
MAX_INT = 2**63
DISTANCE = re.compile(r"eval/(?!do_nothing_)(?P<object>\w+)_distance_(?P<unit>[a-z]+)")
"""The median distance of an object in an evaluation."""

Curve = Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One finished run."""

    id: str
    """The name of its directory."""
    study: str
    """The study that it belongs to; empty for a run by itself."""
    task: str
    method: str
    seed: int
    preset: str
    changes: Mapping[str, Any]
    """Its changes to RIG's published settings, which unlike presets never change."""
    command: str
    commit: str
    device: str
    date: str
    curve: Curve
    """Columns of equal length: steps, seconds of training without evaluation, distances."""

    @property
    def is_oracle(self) -> bool:
        """Whether it was given the true state instead of images."""
        return bool(self.changes.get("oracle", False))

    @property
    def is_given_truth(self) -> bool:
        """Whether anything that learned was given the true state: that is a diagnostic."""
        return any(name in self.changes for name in GIVES_TRUTH)

    @property
    def objects(self) -> dict[str, str]:
        """The objects measured, with their unit: ``{"hand": "m", "puck": "m"}``."""
        return objects_in(self.curve)

    @property
    def main_objects(self) -> list[str]:
        """The objects that the task is about: all but the hand, or the hand alone."""
        return [name for name in self.objects if name != HAND] or list(self.objects)

    def column(self, key: str) -> Float64[np.ndarray, " points"]:
        """Return one column of the curve."""
        return np.asarray(self.curve[key], np.float64)

    def distances(self, name: str) -> Float64[np.ndarray, " points"]:
        """Return an object's median distance at each evaluation, in metres or radians."""
        return self.column(f"eval/{name}_distance_{self.objects[name]}")

    def final(self, name: str) -> float:
        """Return an object's median distance at the last evaluation."""
        return float(self.distances(name)[-1])

    def final_mean(self, name: str) -> float:
        """Return an object's mean distance at the last evaluation; NaN if not recorded."""
        column = self.curve.get(f"eval/{name}_distance_mean_{self.objects[name]}", [np.nan])
        return float(column[-1])

    def do_nothing(self, name: str) -> float:
        """Return an object's median distance under the no-op policy."""
        return float(self.curve[do_nothing_key(name, self.objects[name])][-1])

    @property
    def can_be_normalized(self) -> bool:
        """Whether the no-op policy leaves every main object away from its goal."""
        return all(self.do_nothing(name) != 0 for name in self.main_objects)

    @property
    def normalized_distance(self) -> float:
        """The final distance divided by that of the no-op policy, averaged over main objects.

        It has no unit: 0 is at the goal, 1 is no better than the no-op policy.
        """
        pairs = [(self.final(name), self.do_nothing(name)) for name in self.main_objects]
        return float(np.mean([final / do_nothing for final, do_nothing in pairs]))

    @property
    def num_env_steps(self) -> int:
        """Environment steps at the last evaluation."""
        return int(self.curve[STEPS][-1])

    @property
    def training_s(self) -> float:
        """Seconds of training until then."""
        return float(self.curve[TRAINING_S][-1])


def objects_in(curve: Iterable[str]) -> dict[str, str]:
    """Return the objects measured in columns of these names, with their unit."""
    found = [match for key in curve if (match := DISTANCE.fullmatch(key))]
    return {match["object"]: match["unit"] for match in found}


def do_nothing_key(name: str, unit: str) -> str:
    """Return the column of an object's distance under the no-op policy."""
    return f"eval/do_nothing_{name}_distance_{unit}"


def result_from(written: object) -> Result:
    """Return the result in a JSON value, with the settings' present names.

    Raises:
        RunError: A field is missing, unknown or of another type, or the curve is invalid.
    """
    kinds = {entry.name: get_origin(entry.type) or entry.type for entry in fields(Result)}
    if not isinstance(written, dict) or set(written) != set(kinds):
        raise RunError(f"not an object with the keys {', '.join(kinds)}")
    for name, kind in kinds.items():
        if isinstance(kind, type) and not isinstance(written[name], kind):
            raise RunError(f"its {name} is {written[name]!r:.40}, not a {kind.__name__}")
    check_curve(written["curve"])
    names = {key: with_new_grid_names(written[key]) for key in ("id", "method")}
    return Result(**written | names | {"changes": with_new_names(written["changes"])})


def with_new_grid_names(text: str) -> str:
    """Return a run's id or method with the present names of the settings in its grid point."""
    for old, new in SETTINGS.items():
        old, new = old.rpartition(".")[2], new.rpartition(".")[2]
        if "_" in old:  # others are ordinary words, which a method may be named with
            text = re.sub(rf"(?<=[ -]){old}(?=[ -])", new, text)
    for setting, values in CHOICES.items():
        leaf = setting.rpartition(".")[2]
        for old, new in values.items():
            text = re.sub(rf"(?<=[ -]{leaf}[ -]){old}\b", new, text)
    return text


def check_curve(curve: Mapping[str, Any]) -> None:
    """Raise RunError unless a curve is valid. A distance may be NaN, steps and seconds not."""
    lengths = {len(column) if is_numbers(column) else 0 for column in curve.values()}
    if len(lengths) != 1 or 0 in lengths:
        raise RunError("its curve has columns that are not numbers, or are of different length")
    objects = objects_in(curve)
    needed = [STEPS, TRAINING_S, *(do_nothing_key(*pair) for pair in objects.items())]
    if missing := [key for key in needed if key not in curve]:
        raise RunError(f"its curve lacks {', '.join(missing)}")
    if not objects:
        raise RunError("its curve has no distance")
    if not np.isfinite([curve[STEPS], curve[TRAINING_S]]).all():
        raise RunError(f"its {STEPS} or {TRAINING_S} are not finite")


def is_numbers(column: object) -> bool:
    """Return whether a value is a sequence of numbers that fit into 64 bits."""
    return isinstance(column, Sequence) and all(
        type(value) is float or (type(value) is int and abs(value) < MAX_INT)
        for value in column
    )
