"""See: fit to images alone, then measure what the latents hold of the true states."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rig.config import Config
from rig.see.fitted import Fitted, fit_images
from rig.see.judge import Judgement, as_json, judge
from rig.see.source import Source
from rig.training.collect import check_motion
from rig.training.progress import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """A representation fitted to images, and what it holds of each object."""

    source: Source
    fitted: Fitted
    judged: dict[str, Judgement]
    """By object; empty where no true states are known."""

    def unit_of(self, name: str) -> str:
        """Return the unit of an object's error, empty if it is not known."""
        return "" if self.source.test is None else self.source.test.truth.units.get(name, "")

    def as_json(self) -> dict[str, Any]:
        """Return what was measured, rounded."""
        near = {name: rounded(each.near_rank_corr) for name, each in self.judged.items()}
        return {
            "objects": as_json(self.judged),
            "fit_s": round(self.fitted.fit_s, 2),
            "encode_ms": round(self.fitted.encode_ms, 4),
            "near_rank_corr": near,
            "num_images": len(self.source.collected),
        }


def see(
    config: Config,
    source: Source,
    near: float,
    progress: Progress,
    *,
    rng: np.random.Generator,
) -> Sight:
    """Fit to the images of a source, in their order, and judge by true states.

    The fit is given what was collected and nothing else.

    Raises:
        NotEnoughDataError: Nothing moves in the images.
    """
    check_motion(source.collected)
    fitted = fit_images(config, source.collected, progress, rng=rng)
    judged = {}
    weight = fitted.representation.weight
    if source.test is not None and weight is not None:
        latents = fitted.representation.encode(source.test.images).latent
        judged = judge(latents, weight, source.test.truth, near)
    return Sight(source=source, fitted=fitted, judged=judged)


def rounded(value: float | None) -> float | None:
    """Return a correlation with two decimals."""
    return None if value is None else round(value, 2)
