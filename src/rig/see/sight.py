"""See: fit to images alone, then measure what the latents hold of the true states."""

from dataclasses import dataclass
from typing import Any

from rig.config import Config
from rig.see.data_set import DataSet
from rig.see.fitted import Fitted, fit_images, without_actions
from rig.see.judge import Judgement, as_json, judge
from rig.training.progress import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """A representation fitted to images, and what it holds of each object."""

    data_set: DataSet
    fitted: Fitted
    judged: dict[str, Judgement]
    """By object; empty where no true states are known."""

    def as_json(self) -> dict[str, Any]:
        """Return what was measured, rounded."""
        near = {name: rounded(each.near_rank_corr) for name, each in self.judged.items()}
        return {
            "objects": as_json(self.judged),
            "fit_s": round(self.fitted.fit_s, 2),
            "encode_ms": round(self.fitted.encode_ms, 4),
            "near_rank_corr": near,
            "num_images": len(self.data_set.images),
        }


def see(config: Config, data_set: DataSet, near: float, progress: Progress) -> Sight:
    """Fit to a data set's images, in their order, and judge by its true states.

    The fit is given the images and nothing else.
    """
    images = data_set.images
    collected = without_actions(images, data_set.num_steps)
    fitted = fit_images(config, collected, progress)
    judged = {}
    weight = fitted.representation.weight
    if data_set.truth is not None and weight is not None:
        latents = fitted.representation.encode(images).latent
        judged = judge(latents, weight, data_set.truth, near)
    return Sight(data_set=data_set, fitted=fitted, judged=judged)


def rounded(value: float | None) -> float | None:
    """Return a correlation with two decimals."""
    return None if value is None else round(value, 2)
