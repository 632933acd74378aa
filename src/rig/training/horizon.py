"""How far practice looks ahead, where its settings are auto.

A dense reward is chosen where practice seldom comes near a goal: there is much to put right,
the hand must leave its own place for long, and that pays only under a far horizon. Where goals
are often reached, the reward is sparse, and a near horizon ends nearer to the goal.
"""

from dataclasses import replace
from typing import NamedTuple

from rig.config import Auto, Config, Number, decided
from rig.runs.reward_choice import GAMMA, N_STEPS


class Horizon(NamedTuple):
    """The settings that can be auto, by the names that they have there."""

    gamma: float
    n_steps: int
    random_duration: float


FAR = Horizon(gamma=0.98, n_steps=3, random_duration=6.0)
"""Under a dense reward."""
NEAR = Horizon(gamma=0.95, n_steps=1, random_duration=1.0)
"""Under a sparse one."""


def with_horizon(config: Config) -> Config:
    """Return the settings with numbers in place of auto.

    Args:
        config: Every setting; its kind of reward is chosen already.

    Raises:
        ValueError: It is not.
    """
    kind, td3, explore = config.reward.kind, config.td3, config.explore
    if kind == "auto":
        raise ValueError("choose reward.kind before the horizon")
    horizon = NEAR if kind in ("sparse", "pixel_sparse") else FAR
    return replace(
        config,
        td3=replace(
            td3,
            gamma=given(td3.gamma, horizon.gamma),
            n_steps=given(td3.n_steps, horizon.n_steps),
        ),
        explore=replace(
            explore, random_duration=given(explore.random_duration, horizon.random_duration)
        ),
    )


def horizon_metrics(config: Config) -> dict[str, float]:
    """Return what can be auto as metrics, from settings that have numbers there."""
    return {
        GAMMA: decided(config.td3.gamma),
        N_STEPS: decided(config.td3.n_steps),
        "explore/random_duration": decided(config.explore.random_duration),
    }


def given(value: Number | Auto, chosen: Number) -> Number:
    """Return what was chosen where a setting is auto, else what it says."""
    return chosen if value == "auto" else value
