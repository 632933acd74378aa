"""What a server heard since the guard's last tick."""

from dataclasses import dataclass, field

from rig.robots.arm import Reading
from rig.robots.guard_inputs import FrameFacts, Inputs


WORDS = ("arm", "clear", "stop", "home", "rest", "held", "released")
"""What a person at the robot can say; ``held`` is the hold-to-run key's keep-alive."""


@dataclass
class Mailbox:
    """Words of the person, and the newest wishes of the client."""

    words: set[str] = field(default_factory=set)
    stop: str = ""
    rest: str = ""
    doubt: str = ""
    """What the server could not do with a request."""
    action: tuple[float, ...] | None = None
    begin: bool = False
    home: bool = False
    dropped: bool = False

    def inputs(
        self, reading: Reading, frame: FrameFacts | None, *, client_waits: bool
    ) -> Inputs:
        """Return all of it for the guard."""
        return Inputs(
            joints=reading.joints,
            health=reading.health,
            frame=frame,
            action=self.action,
            client_waits=client_waits,
            stop=self.stop,
            rest=self.rest,
            doubt=self.doubt,
            arm="arm" in self.words,
            clear="clear" in self.words,
            home=self.home or "home" in self.words,
            begin=self.begin,
            dropped=self.dropped,
            is_held="held" in self.words,
            is_released="released" in self.words,
        )
