"""``td3.gamma`` and ``td3.n_steps`` auto: how far learning looks ahead.

Where each of three things or more has a reward of its own, a hand must often leave its place to
put an object right. Under a longer horizon that pays. Elsewhere a shorter one is more exact.
"""

from dataclasses import replace
from typing import NamedTuple

from rig.config import Config
from rig.representation.representation import Representation
from rig.representation.reward import BY_THING
from rig.training.learn import parts_rewarded


class Horizon(NamedTuple):
    """What is auto."""

    gamma: float
    n_steps: int


FAR = Horizon(gamma=0.98, n_steps=3)
"""Where each thing has a reward of its own."""
NEAR = Horizon(gamma=0.95, n_steps=1)


def with_horizon(config: Config, representation: Representation) -> Config:
    """Return the settings with numbers in place of auto.

    Args:
        config: Every setting, with the reward that was chosen.
        representation: Knows the things.
    """
    parts = parts_rewarded(config.reward, representation)
    horizon = NEAR if parts is None or config.reward.kind not in BY_THING else FAR
    gamma, n_steps = config.td3.gamma, config.td3.n_steps
    td3 = replace(
        config.td3,
        gamma=horizon.gamma if gamma == "auto" else gamma,
        n_steps=horizon.n_steps if n_steps == "auto" else n_steps,
    )
    return replace(config, td3=td3)
