"""How like anything practised a goal image is, before anything moves.

Four measures, each with a sentence that a person can act on: a thing stands where practice
never had it (place), the background is another (picture), a thing that practice always showed
is not there (missing), a thing that it never showed is (foreign). Each is held against pictures
of practice that were held out.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64, UInt8

from rig.goals.colour_name import colour_name
from rig.goals.picture_parts import Parts, parts_of
from rig.goals.practised import (
    COLUMNS,
    Practised,
    load_practised,
    measure_parts,
    scarcity,
    strangeness,
)
from rig.runs.run import Run


UNLIKE_SHARE = 0.01
"""Of held-out pictures of practice that any of the measures may flag."""
ODD_SHARE = 0.05
LEAST = np.array([2.0, 1.0, 1.5, 24.0])
"""Below this nothing is unlike, however even practice was: pixels, grey levels, times, grey
levels. The last is half as much again as the memory of patches can tell apart; of added things
28 would miss a third."""
Verdict = Literal["like", "odd", "unlike"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One way in which a goal may be unlike what was practised."""

    kind: str
    value: float
    threshold: float
    """The goal is unlike what was practised if the value is larger."""
    text: str
    """A sentence that a person can act on; empty where nothing has to be done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """How like anything practised a goal is."""

    score: float
    """From 0, like nothing, to 1."""
    verdict: Verdict
    measures: tuple[Measure, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what a person should do about the goal."""
        return tuple(measure.text for measure in self.measures if measure.text)

    def as_json(self) -> dict[str, Any]:
        """Return it as the page and ``--json`` have it."""
        return {
            "score": self.score,
            "verdict": self.verdict,
            "measures": [asdict(measure) for measure in self.measures],
        }


def likeness(practised: Practised, image: UInt8[np.ndarray, "H W 3"]) -> Likeness:
    """Return how like anything practised an image is.

    Args:
        practised: What the run kept of its practice.
        image: In the shape of the run's camera.
    """
    parts = parts_of(image[None], practised.still, practised.colours)
    values = measure_parts(practised, parts)[0]
    unlike, odd = (limits(practised.held_out, share) for share in (UNLIKE_SHARE, ODD_SHARE))
    measures = tuple(
        Measure(
            kind=kind,
            value=float(value),
            threshold=float(limit),
            text=SENTENCES[kind](practised, parts) if value > odd_limit else "",
        )
        for kind, value, limit, odd_limit in zip(COLUMNS, values, unlike, odd, strict=True)
    )
    is_unlike = any(each.value > each.threshold for each in measures)
    is_odd = any(each.text for each in measures)
    num_as_far = (practised.held_out >= values).sum(axis=0).min()
    return Likeness(
        score=float((num_as_far + 1) / (len(practised.held_out) + 1)),
        verdict="unlike" if is_unlike else "odd" if is_odd else "like",
        measures=measures,
    )


def limits(
    held_out: Float64[np.ndarray, "M columns"], share: float
) -> Float64[np.ndarray, " columns"]:
    """Return the limits of which that share of pictures exceeds any.

    They are the same quantile of every measure.
    """
    columns = [np.searchsorted(np.sort(column), column) for column in held_out.T]
    num_below = np.stack(columns, axis=1)
    quantile = np.quantile(num_below.max(axis=1) / len(held_out), 1 - share)
    usual = np.quantile(held_out, quantile, axis=0, method="higher")
    return np.asarray(np.maximum(usual, LEAST))


def run_likeness(run: Run, image: UInt8[np.ndarray, "H W 3"]) -> Likeness | None:
    """Return how like anything practised an image is; None where the run kept nothing.

    Raises:
        RunError: What it kept is damaged.
    """
    practised = load_practised(run.directory)
    return None if practised is None else likeness(practised, image)


def about_place(practised: Practised, parts: Parts) -> str:
    """Say which thing stands where practice did not have it."""
    away = np.where(parts.has_colour[0], practised.away_px, 0)
    colour, row, column = np.unravel_index(away.argmax(), away.shape)
    where = place_name(row / away.shape[1], column / away.shape[2])
    return (
        f"Something {colour_name(practised.colours[colour])} is {where}, where practice never "
        "had it: move it closer to where practice was, or train longer."
    )


def about_picture(practised: Practised, parts: Parts) -> str:
    """Say that the picture as a whole is another."""
    return (
        "The background is unlike that of practice: check the light, the camera's place, and "
        "that it shows this robot's table."
    )


def about_missing(practised: Practised, parts: Parts) -> str:
    """Say which thing is missing."""
    colour = practised.colours[scarcity(practised, parts)[0].argmax()]
    return (
        f"Something {colour_name(colour)} that practice always showed is missing or hidden: "
        "put it in view."
    )


def about_foreign(practised: Practised, parts: Parts) -> str:
    """Say where the foreign thing is."""
    strange = strangeness(practised, parts)[0]
    row, column = np.unravel_index(strange.argmax(), strange.shape)
    where = place_name(row / strange.shape[0], column / strange.shape[1])
    return f"Something {where} of the picture was never seen in practice: take it away."


def place_name(down: float, right: float) -> str:
    """Return the name of a place in a picture, given as shares of its height and width."""
    rows, columns = ("upper", "middle", "lower"), ("left", "middle", "right")
    row, column = rows[int(3 * down)], columns[int(3 * right)]
    return "in the middle" if row == column else f"in the {row} {column}"


SENTENCES = {
    "place": about_place,
    "picture": about_picture,
    "missing": about_missing,
    "foreign": about_foreign,
}
