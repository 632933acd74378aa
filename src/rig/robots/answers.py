"""Messages that go out, and requests whose answer is not due yet."""

import math
from dataclasses import dataclass

from rig.robots.message import Request


@dataclass(frozen=True, slots=True)
class Answer:
    """A message to a client."""

    client: bytes
    head: bytes
    image: bytes = b""


@dataclass(slots=True)
class Waiting:
    """A request whose answer is not due yet."""

    client: bytes
    request: Request
    due_s: float
    frame_seq: int
    settled_s: float = math.inf
    taken: bool = False
    """Whether the guard took the action."""
