"""How far practice looks ahead, where its settings are auto.

With three things or more, the hand must leave its own place for long to put the others right,
which pays only under a far horizon. With a hand and one thing, a near one ends nearer to the
goal.
"""

from dataclasses import replace
from typing import NamedTuple

from rig.config import Auto, Config, Number, decided
from rig.representation.representation import Representation
from rig.runs.reward_choice import GAMMA, N_STEPS
from rig.training.learn import parts_rewarded


class Horizon(NamedTuple):
    """The settings that can be auto, by the names that they have there."""

    gamma: float
    n_steps: int
    random_duration: float


FAR = Horizon(gamma=0.98, n_steps=3, random_duration=6.0)
"""Where each of three things or more has a reward of its own."""
NEAR = Horizon(gamma=0.95, n_steps=1, random_duration=1.0)
"""Elsewhere."""


def with_horizon(config: Config, representation: Representation) -> Config:
    """Return the settings with numbers in place of auto.

    Args:
        config: Every setting.
        representation: Knows the things.
    """
    td3, explore = config.td3, config.explore
    horizon = NEAR if parts_rewarded(config.reward, representation) is None else FAR
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
