"""How often goals like a new one were reached: those of an evaluation, and how each ended.

A goal counts as reached if the latent at the end is as near to its own as the sparse reward
asks for. No true state is needed. Of a new goal, the evaluated goals with the nearest latents
are counted (docs/page.md has how well that predicts).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from rig.errors import RunError
from rig.runs.array_files import ArraySpec, array_bytes, load_arrays
from rig.types import Latents


FILE = "tried_goals.safetensors"
"""In the directory of a run, and of an export."""
NUM_NEAREST = 20
FEWEST_GOALS = 2 * NUM_NEAREST
"""Of fewer, most are near to no other."""
Distance = Callable[[Latents, Latents], Float32[np.ndarray, " N"]]


@dataclass(frozen=True, kw_only=True, slots=True)
class HowOften:
    """How many of the evaluated goals that are most like a new one were reached."""

    num_reached: int
    num_goals: int

    @property
    def sentence(self) -> str:
        """Return it in words."""
        return (
            f"Of the {self.num_goals} goals of its evaluation that are most like this one, "
            f"{self.num_reached} {'was' if self.num_reached == 1 else 'were'} reached."
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as the page and ``--json`` have it."""
        return asdict(self) | {"text": self.sentence}


@dataclass(frozen=True, kw_only=True, slots=True)
class TriedGoals:
    """The goals of an evaluation, and which of them were reached."""

    latents: Latents
    """One row for each goal."""
    is_reached: Bool[np.ndarray, " G"]

    def files(self) -> dict[str, bytes]:
        """Return it as files by name."""
        return {FILE: array_bytes({"latents": self.latents, "is_reached": self.is_reached})}


def load_tried_goals(
    directory: Path, latent_dim: int, dtype: type[np.generic]
) -> TriedGoals | None:
    """Return the evaluated goals that a run kept; None if it kept none.

    Args:
        directory: Of a run, or of an export.
        latent_dim: Length of the latents of its representation.
        dtype: Their type.

    Raises:
        RunError: The file is damaged, or of another representation.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    latents = ArraySpec((None, latent_dim), np.dtype(dtype))
    is_reached = ArraySpec((None,), np.dtype(bool))
    arrays = load_arrays(path, {"latents": latents, "is_reached": is_reached})
    tried = TriedGoals(**arrays)
    if len(tried.latents) != len(tried.is_reached):
        raise RunError(f"{path} holds rows of other goals: it is damaged; take it from a copy")
    return tried


def how_often(tried: TriedGoals | None, latent: Latents, distance: Distance) -> HowOften | None:
    """Return how many of the goals most like a new one were reached; None if they are too few.

    Args:
        tried: What the run kept.
        latent: Of the new goal, one row.
        distance: Between latents, row by row, as the run measures it.
    """
    if tried is None or len(tried.latents) < FEWEST_GOALS:
        return None
    goals = np.repeat(latent, len(tried.latents), axis=0)
    nearest = np.argsort(distance(tried.latents, goals), kind="stable")[:NUM_NEAREST]
    num_reached = int(tried.is_reached[nearest].sum())
    return HowOften(num_reached=num_reached, num_goals=NUM_NEAREST)
