"""What the robot of the page does, for everyone to see."""

from dataclasses import dataclass
from typing import Literal


State = Literal["asleep", "waking", "ready", "moving", "stopping", "held", "fault"]

STOPPED = "Someone pressed Stop."
LOST = "The page that drives it was not heard from for a second."
SPEEDS = (0.0, 1.0, 4.0)
"""Times real time; 0: as fast as it can."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the robot does, for everyone to see."""

    state: State = "asleep"
    run: str | None = None
    """The run whose policy it uses."""
    driver: str | None = None
    """The client that sent it."""
    attempt: str | None = None
    goal: str | None = None
    num_steps: int = 0
    """The most steps of an attempt."""
    num_env_steps: int = 0
    """Environment steps that its policy was trained for."""
    can_continue: bool = False
    """Whether an attempt can start where the last one ended."""
    reason: str = ""
    """Why it is held, or in a fault; a sentence."""
