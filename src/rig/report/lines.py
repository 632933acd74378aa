"""Lines of plots as numbers: who only reads them loads no Matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


Points = Float[np.ndarray, " points"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a plot."""

    label: str
    x: Points
    y: Points


def smoothed(values: Sequence[float], most: int = 200) -> Points:
    """Return the means of neighbours, at most ``most`` of them."""
    parts = np.array_split(np.asarray(values, np.float64), max(1, min(most, len(values))))
    return np.array([part.mean() for part in parts if len(part)])
