"""What the guard reads at each tick, and what it decides."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from rig.robots.robot import Joints


class Mode(StrEnum):
    """What the arm may do."""

    OFF = "OFF"
    """Not connected."""
    READY = "READY"
    """Connected and holding; a person has to arm it."""
    ARMED = "ARMED"
    """A person armed it; nothing moves at the moment."""
    MOVING = "MOVING"
    """It acts, or goes home or to rest by itself."""
    HOLD = "HOLD"
    """Something is in doubt: the arm holds until it is not."""
    STOPPED = "STOPPED"
    """Holds until a person at the robot clears it; slow homing after that."""


class Doing(StrEnum):
    """What the arm is at."""

    IDLE = "idle"
    ACTING = "acting"
    """It follows a client's actions."""
    HOMING = "homing"
    RESTING = "resting"
    """It goes to its rest pose, and is READY there."""


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What the guard knows of the newest image."""

    seq: int
    """Number of the image; a larger one is newer."""
    time_s: float
    """When the camera gave it, by the guard's clock."""
    mean: float
    """Mean grey level of what the policy sees."""
    digest: int
    """Differs if the bytes differ."""


@dataclass(frozen=True, slots=True)
class Health:
    """Extremes over the servos; NaN where it is not known."""

    temperature_c: float = float("nan")
    current_a: float = float("nan")
    voltage_low_v: float = float("nan")
    voltage_high_v: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that happened since the last tick."""

    joints: Joints | None
    """Measured; None if the read failed."""
    health: Health = Health()
    frame: FrameFacts | None = None
    """The newest image, None before the first."""
    action: tuple[float, ...] | None = None
    """The newest action of the client with the lease; it is fresh, and newer than the last."""
    client_waits: bool = False
    """Whether the client waits for an answer, so that it owes no command."""
    stop: str = ""
    """Why to stop: a person, a signal, a client; empty: nobody wants to."""
    arm: bool = False
    """Whether a person armed the arm."""
    clear: bool = False
    """Whether a person at the robot cleared a stop."""
    begin: bool = False
    """Whether the client begins an episode."""
    home: bool = False
    """Whether to go home."""
    dropped: bool = False
    """Whether an action of the client with the lease was dropped: it came too late."""
    rest: str = ""
    """Why to go to the rest pose."""
    doubt: str = ""
    """Which request of a client the server failed on; empty: none."""
    is_held: bool = False
    """Whether a keep-alive of the hold-to-run key came since the last tick."""
    is_released: bool = False
    """Whether the key was let go."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit that is not kept."""

    rule: str
    """Name of the rule."""
    text: str
    """Cause, value and limit."""
    stops: bool = False
    """Whether it stops the arm until a person clears it; otherwise it holds."""


@dataclass(slots=True)
class Decision:
    """What the guard decides in a tick."""

    target: Joints | None
    """The joints' targets for the arm; None: send nothing."""
    mode: Mode
    why: str
    doing: Doing
    spoiled: bool
    taken: bool
    """Whether the client's action was taken."""
    events: list[str] = field(default_factory=list)
    """Lines for the log: cause, value, limit."""


def is_broken(action: tuple[float, ...]) -> bool:
    """Return whether an action has numbers that are none."""
    return not np.isfinite(action).all()
