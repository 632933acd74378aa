"""How far practice looks ahead, where its settings are auto.

With three things or more, the hand must leave its own place for long to put the others right.
Under a nearer horizon it stays where it is. With a hand and one thing a nearer one is enough,
and ends nearer to the goal.
"""

from dataclasses import replace
from typing import NamedTuple, TypeVar

from rig.config import Auto, Config, decided
from rig.representation.representation import Representation
from rig.representation.reward import BY_THING
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
Number = TypeVar("Number", int, float)


def with_horizon(config: Config, representation: Representation) -> Config:
    """Return the settings with numbers in place of auto.

    Args:
        config: Every setting. A reward that is still auto counts as given for each thing.
        representation: Knows the things.
    """
    td3, explore = config.td3, config.explore
    is_for_each = config.reward.kind in (*BY_THING, "auto")
    parts = parts_rewarded(config.reward, representation)
    horizon = FAR if parts is not None and is_for_each else NEAR
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


def as_metrics(config: Config) -> dict[str, float]:
    """Return what can be auto as metrics, from settings that have numbers there."""
    return {
        "td3/gamma": decided(config.td3.gamma),
        "td3/n_steps": decided(config.td3.n_steps),
        "explore/random_duration": decided(config.explore.random_duration),
    }


def given(value: Number | Auto, chosen: Number) -> Number:
    """Return what was chosen where a setting is auto, else what it says."""
    return chosen if value == "auto" else value
