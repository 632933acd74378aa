"""``reward.kind auto``: which reward a run chose, read from its metrics."""

from collections.abc import Iterable, Mapping

from rig.config import Config, RewardKind


NEAR_SHARE = "reward/near_share"
"""The metric of the share of imagined goals that practice came near."""
MIN_NEAR_SHARE = 0.08
"""Share of imagined goals that other episodes came near at which the reward is sparse."""


def kind_for(share: float) -> RewardKind:
    """Return the kind of reward for a share of goals that practice came near."""
    return "sparse" if share >= MIN_NEAR_SHARE else "sqrt_distance"


def reason_for(share: float) -> str:
    """Return in words why that reward was chosen."""
    return f"practice came near {share:.0%} of imagined goals"


def chosen_before(config: Config, metrics: Iterable[Mapping[str, float]]) -> RewardKind:
    """Return the reward that a run with these metrics learned with."""
    shares = (row[NEAR_SHARE] for row in metrics if NEAR_SHARE in row)
    return kind_for(next(shares, 0.0)) if config.reward.kind == "auto" else config.reward.kind
