"""Who may move the arm: one client at a time, and each message once, in order, in time."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from rig.robots.clock import Clock
from rig.robots.config import WireConfig
from rig.robots.message import Request, printable


MAX_TTL_S = 0.5
NUM_REMEMBERED = 256
MAX_NAME = 60


@dataclass
class Lease:
    """The lease of the client that may move the arm, if there is one."""

    config: WireConfig
    token: str = ""
    name: str = ""
    heard_s: float = 0.0
    last_seq: int = -1
    sent_s: OrderedDict[int, float] = field(default_factory=OrderedDict)
    """When each of the last states was sent, by its number."""
    silence_clock: Clock | None = None
    """Counts how long a client was silent; None: the guard's clock. Simulated time stands still
    while nobody waits: by it, the lease of a client that was killed would never end."""

    def take(self, request: Request, now_s: float) -> str:
        """Give the lease to a client; return why not, or nothing."""
        silent_s = self._heard_now_s(now_s) - self.heard_s
        if self.token and silent_s < self.config.lease_s:
            return (
                f"{self.name} has the lease and was heard {silent_s:.1f} s ago: close it, or "
                f"wait until it was silent for {self.config.lease_s:g} s"
            )
        self.token = secrets.token_hex(8)
        self.name = printable(request.name, MAX_NAME) or "a client"
        self.last_seq = request.seq
        self.hear(now_s)
        self.sent_s.clear()
        return ""

    def check(self, request: Request, now_s: float) -> str:
        """Note that a client was heard; return why its message does not count, or nothing."""
        if not self.token or not secrets.compare_digest(
            request.lease.encode(), self.token.encode()
        ):
            return "this client has not the lease: say hello first"
        if request.seq <= self.last_seq:
            return f"message {request.seq} came after {self.last_seq}: old, or sent twice"
        self.last_seq = request.seq
        self.hear(now_s)
        return ""

    def hear(self, now_s: float) -> None:
        """Note that the client is there."""
        self.heard_s = self._heard_now_s(now_s)

    def is_late(self, request: Request, now_s: float) -> bool:
        """Return whether an action answers a state that was sent too long ago."""
        sent_s = self.sent_s.get(request.answers)
        ttl_s = min(request.ttl_ms / 1000, MAX_TTL_S)
        return sent_s is None or not now_s - sent_s <= ttl_s

    def note_sent(self, seq: int, now_s: float) -> None:
        """Remember when a state was sent."""
        self.sent_s[seq] = now_s
        while len(self.sent_s) > NUM_REMEMBERED:
            self.sent_s.popitem(last=False)

    def give_back(self) -> None:
        """End the lease."""
        self.token = ""

    def _heard_now_s(self, now_s: float) -> float:
        return now_s if self.silence_clock is None else self.silence_clock.now_s()
