"""See: fit to images alone, then measure what the latents hold of the true states."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rig.config import Config
from rig.see.episodes import WithinEpisodes, judge_within_episodes
from rig.see.fitted import Fitted, fit_images
from rig.see.how_sure import HowSure, how_sure
from rig.see.judge import Judgement, as_json, judge
from rig.see.source import Source
from rig.see.visibility import STATES, Visibility, visibility
from rig.training.collect import check_motion
from rig.training.progress import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """A representation fitted to images, and what it holds of each object."""

    source: Source
    fitted: Fitted
    judged: dict[str, Judgement]
    """By object; empty where no true states are known."""
    within_episodes: dict[str, WithinEpisodes]
    """By object; empty where the images are of no episodes."""
    visibility: list[Visibility]
    """Of each thing; empty where the encoder does not find things, or images have no order."""
    how_sure: HowSure | None
    """None where the encoder does not say, or images are few."""

    def unit_of(self, name: str) -> str:
        """Return the unit of an object's error, empty if it is not known."""
        return "" if self.source.test is None else self.source.test.truth.units.get(name, "")

    def as_json(self) -> dict[str, Any]:
        """Return what was measured, rounded."""
        near = {name: rounded(each.near_rank_corr) for name, each in self.judged.items()}
        told = {
            "objects": as_json(self.judged),
            "fit_s": round(self.fitted.fit_s, 2),
            "encode_ms": round(self.fitted.encode_ms, 4),
            "near_rank_corr": near,
            "num_images": len(self.source.collected),
        }
        within = {
            name: {key: round(value, 5) for key, value in asdict(each).items()}
            for name, each in self.within_episodes.items()
        }
        if within:
            told["within_episodes"] = within
        if self.visibility:
            told["visibility"] = [
                {"thing": each.name} | {key: round(getattr(each, key), 4) for key in STATES}
                for each in self.visibility
            ]
        if self.how_sure is not None:
            told["within_two_stds"] = {
                "hidden": round(self.how_sure.within_hidden, 3),
                "whole": round(self.how_sure.within_whole, 3),
            }
        return told


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
    progress.begin("judge", len(source.collected))
    judged, within = {}, {}
    weight, test = fitted.representation.weight, source.test
    if test is not None and weight is not None:
        latents = fitted.representation.encode(test.images).latent
        judged = judge(latents, weight, test.truth, near)
        within = judge_within_episodes(latents, test.images, test.truth, test.num_steps)
    sight = Sight(
        source=source,
        fitted=fitted,
        judged=judged,
        within_episodes=within,
        visibility=visibility(fitted.representation, source.collected),
        how_sure=how_sure(fitted.representation, source.collected.images, rng=rng),
    )
    progress.advance(len(source.collected), {})
    return sight


def rounded(value: float | None) -> float | None:
    """Return a correlation with two decimals."""
    return None if value is None else round(value, 2)
