"""``reward.kind auto``: which reward a run chose, read from its metrics."""

from collections.abc import Iterable, Mapping

from rig.config import Config, RewardKind


NEAR_SHARE = "reward/near_share"
"""The metric of the share of imagined goals that practice came near."""
NUM_THINGS = "reward/num_things"
"""The metric of the number of things that have a reward each; 1 if all have one together."""
MIN_NEAR_SHARE = 0.08
"""Share of imagined goals that other episodes came near at which the reward is sparse."""


def kind_for(share: float, num_things: float) -> RewardKind:
    """Return the kind of reward.

    Args:
        share: Of goals that practice came near.
        num_things: Things that have a reward each: a sparse one can't tell them apart.
    """
    return "sparse" if share >= MIN_NEAR_SHARE and num_things <= 1 else "sqrt_distance"


def reason_for(share: float, num_things: float) -> str:
    """Return in words why that reward was chosen."""
    if num_things > 1:
        return f"{num_things:.0f} things have a reward each"
    return f"practice came near {share:.0%} of imagined goals"


def chosen_before(config: Config, metrics: Iterable[Mapping[str, float]]) -> RewardKind:
    """Return the reward that a run with these metrics learned with."""
    if config.reward.kind != "auto":
        return config.reward.kind
    choice = next((row for row in metrics if NEAR_SHARE in row), {NEAR_SHARE: 0.0})
    return kind_for(choice[NEAR_SHARE], choice.get(NUM_THINGS, 1))
