"""The learner's side of the wire.

::

    with RobotClient.connect("tcp://127.0.0.1:5757") as robot:
        robot.home()                       # starts; the server homes by itself
        state = robot.wait_until_idle()    # learn meanwhile, if you like
        robot.begin()                      # an episode
        for _ in range(25):
            state = robot.act(policy(state.image))   # returns one step later
            if state.spoiled:
                break                      # learn nothing from this episode

``act`` returns after the step's time (``session.step_s``), so that a loop of ``act`` keeps the
rate by itself; with ``settle=True`` it returns the first image taken after the arm came to
rest.
In simulated time the server's clock runs only while a client waits.

The client holds no safety. It may die at any moment; the server then holds the arm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from rig.errors import RobotError
from rig.robots.message import MessageError, decode, encode, image_of
from rig.robots.robot import Image


SPARE_S = 2.0
"""How much longer than its wait an answer may take."""
SIMULATED_SPARE_S = 30.0
"""The same in simulated time, of which a busy machine makes little."""


@runtime_checkable
class Link(Protocol):
    """Carries one request and its answer."""

    def request(self, data: bytes, seq: int, timeout_s: float) -> list[bytes]:
        """Send a request, and return the answer's frames.

        Raises:
            RobotError: There was no answer in time.
        """
        ...

    def close(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True, kw_only=True)
class RobotDescription:
    """What a server says about its robot."""

    name: str
    type: str
    joints: tuple[str, ...]
    axes: tuple[int, ...]
    """The axes that an action moves, a number in [-1, 1] for each: 0 x, 1 y, 2 z."""
    box_low_m: tuple[float, ...]
    box_high_m: tuple[float, ...]
    home_m: tuple[float, ...]
    step_m: float
    step_s: float
    episode_s: float
    image_size: int
    hold_to_run: bool
    is_simulated_time: bool
    config_digest: str
    """SHA-256 of the server's TOML file."""

    @property
    def action_size(self) -> int:
        """Number of dimensions of an action."""
        return len(self.axes)


@dataclass(frozen=True, kw_only=True)
class RobotState:
    """What a server says after each request."""

    mode: str
    """OFF, READY, ARMED, MOVING, HOLD or STOPPED."""
    why: str
    """Cause, value and limit of HOLD or STOPPED; else what is going on, or empty."""
    doing: str
    """``idle``, ``acting``, ``homing`` or ``resting``."""
    taken: bool
    """Whether the action was taken; one that is late, or meets a hold, is not."""
    spoiled: bool
    """Whether this episode met a hold, a stop or a stale image: learn nothing from it."""
    is_fresh: bool
    """Whether ``image`` is of now; a stale one is a reason to hold."""
    image: Image | None
    """Newest image; None if there was none yet."""
    frame_seq: int
    """Number of the image; two states with the same one show the same image."""
    frame_age_ms: float
    """Age of the image when the state was sent, from its exposure, at most: the file's
    ``camera.age_s`` and the time since the camera gave it."""
    is_settled: bool
    """Whether the target is at rest where the last action wanted it, and the arm near it."""
    joints: tuple[float, ...]
    """Measured; empty if the arm was never read."""
    sent: tuple[float, ...]
    """The joints' targets that the arm was given last."""
    tool_m: tuple[float, ...]
    """Measured position of the tool."""
    target_m: tuple[float, ...]
    """Position of the tool's target."""
    clipped: int
    """Actions since the start that were outside of [-1, 1]."""
    dropped: int
    """Requests since the start that were late, old or wrong."""
    episode_s: float
    """Time since ``begin``."""
    motor_on_s: float
    """Time since a person armed the arm; 0 while it is not armed."""
    time_s: float
    """The guard's own time since the server started; for logs, not for control."""


class RobotClient:
    """A client with the lease of a robot server."""

    def __init__(self, link: Link, name: str = "learner") -> None:
        """Say hello and take the lease.

        Raises:
            RobotError: No server answers, or another client has the lease.
        """
        self._link = link
        self._seq = -1
        self._seen = -1
        self._lease = ""
        self._spare_s = SPARE_S
        try:
            answer, _ = self._ask({"type": "hello", "name": name})
        except RobotError:
            link.close()
            raise
        self._lease = str(answer["lease"])
        self.robot = RobotDescription(**listed(answer["robot"]))
        if self.robot.is_simulated_time:
            self._spare_s = SIMULATED_SPARE_S

    @classmethod
    def connect(cls, endpoint: str, name: str = "learner") -> "RobotClient":
        """Connect to ``tcp://HOST:PORT``."""
        from rig.robots.zmq_link import ZmqLink

        return cls(ZmqLink(endpoint), name)

    def __enter__(self) -> "RobotClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def observe(self, wait_s: float = 0.0, until: str = "") -> RobotState:
        """Return the robot's state after a wait.

        Args:
            wait_s: At most so long, up to 60 s.
            until: Return earlier: ``"idle"`` when nothing moves by itself, ``"settled"`` when
                the target is at rest, ``"frame"`` when there is a newer image; empty: never.
        """
        request = {"type": "observe", "wait_ms": 1000 * wait_s, "until": until}
        return self._state(request, wait_s)

    def act(
        self, action: Sequence[float] | np.ndarray, *, settle: bool = False, ttl_s: float = 0.2
    ) -> RobotState:
        """Move the tool's target, and return the state one step later.

        Args:
            action: A number in [-1, 1] for each axis; 1 moves the target by ``step_m``.
            settle: Wait until the arm is at rest, and for an image taken after that.
            ttl_s: The server drops the action if the state that it answers is older.
        """
        request = {
            "type": "act",
            "action": [float(number) for number in action],
            "answers": self._seen,
            "ttl_ms": 1000 * ttl_s,
            "settle": settle,
        }
        return self._state(request, self.robot.step_s)

    def begin(self) -> RobotState:
        """Begin an episode: nothing is spoiled any more, and its time starts."""
        return self._state({"type": "begin"})

    def home(self) -> RobotState:
        """Start homing and return at once; :meth:`wait_until_idle` waits for its end."""
        return self._state({"type": "home"})

    def wait_until_idle(self, timeout_s: float = 30.0) -> RobotState:
        """Return once nothing moves by itself; look at ``mode`` for how it ended."""
        return self.observe(timeout_s, until="idle")

    def stop(self, why: str = "the client asked for it") -> RobotState:
        """Stop the arm. Only a person at the robot can clear it."""
        return self._state({"type": "stop", "why": why})

    def close(self) -> None:
        """Give the lease back."""
        try:
            self._ask({"type": "bye"})
        except RobotError:
            pass
        finally:
            self._link.close()

    def _state(self, request: Mapping[str, Any], wait_s: float = 0.0) -> RobotState:
        head, image = self._ask(request, wait_s)
        self._seen = int(head["seq"])
        known = RobotState.__dataclass_fields__
        return RobotState(
            image=image, **{key: head[key] for key in listed(head) if key in known}
        )

    def _ask(
        self, request: Mapping[str, Any], wait_s: float = 0.0
    ) -> tuple[dict[str, Any], Image | None]:
        self._seq += 1
        lease = {} if request["type"] in ("hello", "stop") else {"lease": self._lease}
        data = encode({**request, **lease, "seq": self._seq})
        head_bytes, image_bytes = self._link.request(data, self._seq, wait_s + self._spare_s)
        try:
            head = decode(head_bytes)
            image = image_of(head, image_bytes)
        except MessageError as error:
            raise RobotError(f"the robot server's answer is damaged: {error}") from error
        if head["type"] == "refused":
            raise RobotError(f"the robot server refused {request['type']!r}: {head['why']}")
        return listed(head), image


def listed(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return a head with tuples in place of lists."""
    return {key: tuple(each) if isinstance(each, list) else each for key, each in head.items()}
