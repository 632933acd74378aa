"""What stops a moving robot: a person's word, or that nobody is heard from."""

from threading import Event
from time import monotonic


LOST_AFTER_S = 1.0
"""Without a beat of the driving tab for this long, the robot stops."""
LOOK_EVERY_S = 0.1


class WaitEndedError(Exception):
    """Raised where a robot is waited for, when it has to stop."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class StopSignal:
    """Set by any thread; the robot's thread waits on it between steps."""

    def __init__(self) -> None:
        self._event = Event()
        self._is_driven = False
        self._beat_s = 0.0

    def arm(self, *, is_driven: bool) -> None:
        """Begin an attempt. If it is driven, it needs beats from now on."""
        self._is_driven = is_driven
        self._beat_s = monotonic()
        self._event.clear()

    def set(self) -> None:
        """Stop."""
        self._event.set()

    def beat(self) -> None:
        """Note that the driver is still there."""
        self._beat_s = monotonic()

    @property
    def is_driven(self) -> bool:
        """Whether the attempt needs beats."""
        return self._is_driven

    @property
    def is_lost(self) -> bool:
        """Whether the driver was not heard from for too long."""
        return self._is_driven and monotonic() - self._beat_s > LOST_AFTER_S

    def check(self) -> None:
        """Raise WaitEndedError if the robot has to stop."""
        if self._event.is_set():
            raise WaitEndedError("stopped")
        if self.is_lost:
            raise WaitEndedError("lost")

    def wait_until(self, due_s: float) -> str:
        """Wait until a time; return at once why to stop, or nothing when it is time to go on.

        Args:
            due_s: By the monotonic clock; a time that is past is not waited for.

        Returns:
            ``stopped``, ``lost``, or an empty text.
        """
        while True:
            left_s = due_s - monotonic()
            if self._event.wait(timeout=min(max(left_s, 0.0), LOOK_EVERY_S)):
                return "stopped"
            if self.is_lost:
                return "lost"
            if due_s <= monotonic():
                return ""
