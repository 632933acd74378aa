"""What the guard's rules look at, besides what happened in this tick."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from rig.robots.config import SessionConfig
from rig.robots.guard_inputs import Doing, Finding, Inputs
from rig.robots.robot import Joints


@dataclass(slots=True)
class Situation:
    """What the rules look at besides the inputs."""

    now_s: float
    gap_s: float
    """Time since the last tick."""
    measured: Joints
    target: Joints
    is_armed: bool
    doing: Doing
    started_s: float
    """When the arm began to do what it does."""
    command_s: float = -np.inf
    """When the last action came."""
    waited_s: float = -np.inf
    """When the client last waited for an answer."""
    episode_s: float | None = None
    """When the episode began; None: no episode."""
    connected_s: float = 0.0


@runtime_checkable
class Rule(Protocol):
    """One rule."""

    name: str

    def check(self, inputs: Inputs, situation: Situation) -> Finding | None:
        """Return what is wrong, or None."""
        ...


@dataclass
class Since:
    """Since when something is so."""

    start_s: float | None = None

    def duration_s(self, is_so: bool, now_s: float) -> float:
        """Return for how long it is so; 0 if it is not."""
        if not is_so:
            self.start_s = None
            return 0.0
        if self.start_s is None:
            self.start_s = now_s
        return now_s - self.start_s


def spent(session: SessionConfig, situation: Situation, armed_s: float) -> str:
    """Return which time is over, with its limit, or nothing."""
    now_s = situation.now_s
    if now_s - armed_s >= session.motor_on_s:
        return f"armed for {now_s - armed_s:.0f} s, limit {session.motor_on_s:g} s"
    began_s = situation.episode_s
    if began_s is not None and now_s - began_s >= session.episode_s:
        return f"the episode took {now_s - began_s:.0f} s, limit {session.episode_s:g} s"
    return ""
