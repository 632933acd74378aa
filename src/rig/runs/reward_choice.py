"""``reward.kind auto``: which reward a run chose, read from its metrics."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rig.config import Config, RewardKind


NEAR_SHARE = "reward/near_share"
"""The metric of the share of imagined goals that practice came near, of those that ask for the
thing to be moved for which it is least."""
NUM_REWARDS = "reward/num_rewards"
"""The metric of the number of rewards that are averaged: one for each thing, or 1 for all."""
GAMMA, N_STEPS = "td3/gamma", "td3/n_steps"
"""The metrics of the horizon that goes with the reward."""
MIN_NEAR_SHARE = 0.08
"""That share at which the reward is sparse."""


def kind_for(share: float, num_rewards: float) -> RewardKind:
    """Return the kind of reward.

    Args:
        share: Of goals that practice came near.
        num_rewards: Of which the reward is the mean; if several, they must be dense.
    """
    return "sparse" if share >= MIN_NEAR_SHARE and num_rewards <= 1 else "sqrt_distance"


def choice_in_words(share: float, num_rewards: float) -> str:
    """Return that kind of reward, and why it was chosen, to end a sentence."""
    reason = f"practice came near {share:.0%} of imagined goals that move one of its things"
    if num_rewards > 1:
        reason = f"it is the mean of {num_rewards:.0f} rewards, one for each thing"
    return f"{kind_for(share, num_rewards)}, as {reason}"


def chosen_before(config: Config, metrics: Iterable[Mapping[str, float]]) -> RewardKind:
    """Return the reward that a run with these metrics learned with."""
    if config.reward.kind != "auto":
        return config.reward.kind
    choice = next((row for row in metrics if NEAR_SHARE in row), {NEAR_SHARE: 0.0})
    return kind_for(choice[NEAR_SHARE], choice.get(NUM_REWARDS, 1))


def with_reward_chosen(config: Config, metrics: Iterable[Mapping[str, float]]) -> Config:
    """Return the settings of a run with these metrics, with the reward that it learned with."""
    kind = chosen_before(config, metrics)
    return replace(config, reward=replace(config.reward, kind=kind))
