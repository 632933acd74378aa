"""How like anything practised a goal image is, before anything moves.

Four measures, each with a sentence that a person can act on: where things stand (place), the
picture as a whole (picture), a thing that practice always showed (missing), a thing that it
never showed (foreign). Each is held against pictures of practice that were held out.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64, UInt8

from rig.goals.colour_name import colour_name
from rig.goals.practised import (
    COLUMNS,
    PATCH,
    POOL,
    Practised,
    load_practised,
    measure,
    scarcity,
    strangeness,
)
from rig.representation.representation import Representation
from rig.runs.run import Run


UNLIKE_QUANTILE = 0.997
"""Of held-out pictures of practice. Four measures together then flag about 1 in 100 of them."""
PLACE_MARGIN = 2.0
"""How many times farther than that a place must be: to reach places between and a little beyond
those of practice is what goals are for."""
ODD_QUANTILE = 0.98
KIND_OF = ("place", "picture", "picture", "missing", "foreign")
"""The measure that each column of what is measured belongs to."""
Kind = Literal["place", "picture", "missing", "foreign"]
Verdict = Literal["like", "odd", "unlike"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """One way in which a goal may be unlike what was practised."""

    kind: Kind
    value: float
    threshold: float
    """The goal is unlike what was practised if the value is larger."""
    text: str
    """A sentence that a person can act on; empty where nothing has to be done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """How like anything practised a goal is, and how often such goals were reached."""

    score: float
    """From 0, like nothing, to 1."""
    verdict: Verdict
    measures: tuple[Measure, ...]
    reached: float | None = None
    """Share of such goals that evaluation reached."""
    among: int = 0
    """Number of goals that this share comes from."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return what a person should do about the goal."""
        return tuple(measure.text for measure in self.measures if measure.text)

    def as_json(self) -> dict[str, Any]:
        """Return it as the page and ``--json`` have it."""
        reach = {"probability": self.reached, "among": self.among}
        return {
            "score": self.score,
            "verdict": self.verdict,
            "measures": [asdict(measure) for measure in self.measures],
            "reach": None if self.reached is None else reach,
        }


def likeness(
    practised: Practised, representation: Representation, image: UInt8[np.ndarray, "H W 3"]
) -> Likeness:
    """Return how like anything practised an image is.

    Args:
        practised: What the run kept of its practice.
        representation: Of the same run.
        image: In the shape of the run's camera.
    """
    values = measure(practised, representation, image[None])[0]
    held_out = practised.held_out
    limits = unlike_limits(practised)
    odd = np.quantile(held_out, ODD_QUANTILE, axis=0, method="higher")
    as_far = (held_out >= values).sum(axis=0)
    measures = list[Measure]()
    for kind in dict.fromkeys(KIND_OF):
        mine = [column for column, of in enumerate(KIND_OF) if of == kind]
        worst = max(mine, key=lambda column: values[column] / max(limits[column], 1e-9))
        is_odd = bool((values[mine] > odd[mine]).any())
        measures.append(
            Measure(
                kind=kind,  # type: ignore[arg-type]
                value=float(values[worst]),
                threshold=float(limits[worst]),
                text=SENTENCES[kind](practised, image) if is_odd else "",
            )
        )
    is_unlike = any(each.value > each.threshold for each in measures)
    is_odd = any(each.text for each in measures)
    return Likeness(
        score=float((as_far.min() + 1) / (len(held_out) + 1)),
        verdict="unlike" if is_unlike else "odd" if is_odd else "like",
        measures=tuple(measures),
    )


def unlike_limits(practised: Practised) -> Float64[np.ndarray, " columns"]:
    """Return above what each value makes a picture unlike what was practised."""
    limits = np.quantile(practised.held_out, UNLIKE_QUANTILE, axis=0, method="higher")
    return np.asarray(limits * np.where(np.array(COLUMNS) == "place", PLACE_MARGIN, 1.0))


def run_likeness(
    run: Run, representation: Representation, image: UInt8[np.ndarray, "H W 3"]
) -> Likeness | None:
    """Return how like anything practised an image is; None where the run kept nothing.

    Raises:
        RunError: What it kept is damaged.
    """
    practised = load_practised(run.directory, representation)
    return None if practised is None else likeness(practised, representation, image)


def about_place(practised: Practised, image: UInt8[np.ndarray, "H W 3"]) -> str:
    """Say that things stand where practice did not have them."""
    return (
        "Things stand together as practice never had them: move them closer to where practice "
        "was, or train longer."
    )


def about_picture(practised: Practised, image: UInt8[np.ndarray, "H W 3"]) -> str:
    """Say that the picture as a whole is another."""
    return (
        "The picture looks unlike those of practice: check the light, the camera's place, and "
        "that it shows this robot's table."
    )


def about_missing(practised: Practised, image: UInt8[np.ndarray, "H W 3"]) -> str:
    """Say which thing is missing."""
    colour = practised.colours[scarcity(practised, image[None])[0].argmax()]
    return (
        f"Something {colour_name(colour)} that practice always showed is missing or hidden: "
        "put it in view."
    )


def about_foreign(practised: Practised, image: UInt8[np.ndarray, "H W 3"]) -> str:
    """Say where the foreign thing is."""
    strange = strangeness(practised, image[None])[0]
    side = image.shape[0] // POOL - PATCH + 1
    row, column = divmod(int(strange.argmax()), side)
    names = (("upper", "middle", "lower"), ("left", "middle", "right"))
    where = " ".join(names[axis][3 * at // side] for axis, at in enumerate((row, column)))
    where = "middle" if where == "middle middle" else where
    return f"Something in the {where} of the picture was never seen in practice: take it away."


SENTENCES = {
    "place": about_place,
    "picture": about_picture,
    "missing": about_missing,
    "foreign": about_foreign,
}
