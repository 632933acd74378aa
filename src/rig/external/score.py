"""Arrays of an environment by which evaluation measures how far the end is from the goal.

They are named in words, ``KEY[PART]:UNIT`` with commas between: ``proprio/effector_pos:m``, or
``block_pose[:2]:px,block_pose[2]:rad``. KEY is in ``info`` or in the observation. PART is an
index or a slice as in Python; without it, it is the whole array. A difference of angles (rad)
is taken around the circle. Training reads none of them, but for the true-state ablation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from rig.errors import ExternalEnvError, suggest
from rig.validation import require


FORM = re.compile(
    r"(?P<key>[^\[\]:,]+)"
    r"(\[((?P<index>-?\d+)|(?P<first>-?\d+)?(?P<colon>:)(?P<end>-?\d+)?)\])?"
    r"(:(?P<unit>[a-z]+))?"
)
NO_UNIT = "units"
"""The unit of an array for which none is given."""

Rows = Float64[np.ndarray, "N values"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreKey:
    """An array of an environment, or a part of one."""

    key: str
    """Its name in ``info`` or in the observation."""
    part: slice
    """Which of its numbers."""
    name: str
    """What its distance is called, without the unit."""
    unit: str

    def read(self, info: Mapping[str, Any], observation: Any) -> Float64[np.ndarray, " values"]:
        """Return a copy of the array's numbers.

        Raises:
            ExternalEnvError: There is no such array, or it is not of numbers.
        """
        parts = observation if isinstance(observation, Mapping) else {}
        known = {**parts, **info}
        if self.key not in known:
            raise ExternalEnvError(
                f"--score {self.key}: neither info nor the observation has it: "
                f"{suggest(self.key, filter(is_text, known))}"
            )
        whole = np.asarray(known[self.key])
        if whole.dtype.kind not in "biuf":
            raise ExternalEnvError(
                f"--score {self.key} is not of numbers: {known[self.key]!r:.40}"
            )
        values = np.array(whole, np.float64).reshape(-1)[self.part]
        if not values.size:
            raise ExternalEnvError(
                f"--score {self.key} has {np.size(known[self.key])} values, and none at "
                f"{self.part.start}:{self.part.stop}"
            )
        return values

    def distance(self, states: Rows, goals: Rows) -> Float64[np.ndarray, " N"]:
        """Return the distance of each row from its goal."""
        apart = states - goals
        if self.unit == "rad":
            apart = (apart + np.pi) % (2 * np.pi) - np.pi
        return np.linalg.norm(apart, axis=1)


def parse_scores(text: str) -> tuple[ScoreKey, ...]:
    """Return the arrays that a text names.

    Raises:
        ConfigError: It is not of the form, or names two parts alike.
    """
    scores = tuple(parse_score(word) for each in text.split(",") if (word := each.strip()))
    require(not text or bool(scores), f"--score {text!r} names no array: give KEY[PART]:UNIT")
    names = ["goal", *(score.name for score in scores)]
    is_clear = len(set(names)) == len(names)
    require(is_clear, f"--score {text} calls two distances alike, or one of them goal")
    return scores


def parse_score(word: str) -> ScoreKey:
    """Return the array that a word names."""
    found = FORM.fullmatch(word)
    require(found is not None, f"--score must be KEY[PART]:UNIT, as pos[:2]:m, got {word!r}")
    assert found is not None
    name = re.sub(r"\W+", "_", found["key"].rpartition("/")[2]).strip("_")
    first = int(found["index"] or found["first"] or 0)
    end = int(found["end"]) if found["end"] else None
    if found["index"]:
        part, shown = slice(first, first + 1 or None), f"_{first}"
    else:
        part = slice(first, end)
        shown = f"_{first}_{found['end'] or ''}" if found["colon"] else ""
    return ScoreKey(
        key=found["key"],
        part=part,
        name=name + re.sub(r"\W", "", shown).rstrip("_"),
        unit=found["unit"] or NO_UNIT,
    )


def is_text(key: object) -> bool:
    """Check whether a key can be given as a word."""
    return isinstance(key, str)
