"""The way to a robot's server: connect, wait for it, and wait for the person next to it."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from rig.errors import RobotError
from rig.robots.client import RobotClient, RobotDescription, RobotState
from rig.robots.clock import Clock, SystemClock
from rig.units import duration


RETRY_S = 1.0
"""Seconds between two tries to reach a server that does not answer."""
LOOK_S = 0.5
"""Seconds between two looks at a robot that waits for a person."""
REMIND_S = 60.0
"""Seconds until it says again what it waits for."""
MOVING_LOOK_S = 0.1
"""The same while it moves by itself: who wants it to stop is heard that soon."""
MOST_MOVING_S = 60.0
"""How long it may move by itself before it is asked again what it does."""
LEASE_SPARE_S = 3.0
"""How much longer than a lease lasts the end of another client's is waited for."""
HAS_LEASE = "has the lease"
"""What a server says while another client may come back."""
MOVING_BY_ITSELF = ("homing", "resting")
RESTED = ("OFF", "READY")
"""Modes in which a person has to arm the arm."""
Result = TypeVar("Result")
Say = Callable[[str], object]


class Connection:
    """A client that connects again when its server was restarted."""

    def __init__(
        self,
        open_client: Callable[[], RobotClient],
        say: Say,
        *,
        wait_s: float = 3600.0,
        lease_s: float = 5.0,
        file: str = "CONFIG.toml",
        clock: Clock | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Connect.

        Args:
            open_client: Connects to the server.
            say: Shows a line to the person.
            wait_s: How long to wait for a server, or for a person, before giving up.
            lease_s: How long the server keeps the lease of a client that is silent.
            file: The robot's file; messages show it in commands, as ``rig robot arm FILE``.
            clock: What the waiting is counted by; the machine's by default, also if the
                robot is simulated, for it is a person who is waited for.
            pause: Waits for a number of seconds.

        Raises:
            RobotError: No server answers, or another client has the lease.
        """
        self._clock, self._pause = clock or SystemClock(), pause
        self._open, self.say = open_client, say
        self._wait_s, self._lease_s, self._file = wait_s, lease_s, file
        self.check: Callable[[], object] = lambda: None
        """Called while it waits; may raise what ends the wait."""
        self._said = ""
        self._client: RobotClient | None = self._first_client()
        self.robot: RobotDescription = self._client.robot

    def home(self) -> None:
        """Start homing; the server does it by itself, also if this fails."""
        self._try(lambda client: client.home())

    def stop(self, why: str) -> None:
        """Stop the arm; only a person at the robot can clear it."""
        self._try(lambda client: client.stop(why))

    def act(self, action: Sequence[float], *, settle: bool) -> RobotState | None:
        """Take one action; None if the server is gone."""
        return self._try(lambda client: client.act(action, settle=settle))

    def observe(self, wait_s: float, until: str = "") -> RobotState | None:
        """Return the state after a wait; None if the server is gone."""
        return self._try(lambda client: client.observe(wait_s, until=until))

    def begin_at_home(self) -> RobotState:
        """Wait until the arm is armed and at home, begin an episode, and return the state.

        A person is asked for what only a person may do. What the arm waits for is said once.

        Raises:
            RobotError: Nobody came in time.
        """
        began_s = self._clock.now_s()
        remind_s = REMIND_S
        while (waited_s := self._clock.now_s() - began_s) < self._wait_s:
            self.check()
            if waited_s >= remind_s and self._said:
                self.say(f"waiting for {duration(waited_s)}: {self._said}")
                remind_s += REMIND_S
            client = self._connected()
            state = self._try(self._wait_until_idle) if client else None
            if state is not None and self._is_ready(state):
                begun = self._home_and_begin()
                if begun is not None:
                    return begun
        raise RobotError(f"waited {self._wait_s:.0f} s for the robot: {self._said}")

    def close(self) -> None:
        """Give the lease back."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def _first_client(self) -> RobotClient:
        """Connect, and wait for the lease of a client that was killed to end.

        Raises:
            RobotError: No server answers, or another client has the lease and uses it.
        """
        began_s = self._clock.now_s()
        while self._clock.now_s() - began_s < self._lease_s + LEASE_SPARE_S:
            try:
                return self._open()
            except RobotError as error:
                if HAS_LEASE not in str(error):
                    raise
                self._ask(f"waiting for the robot: {error}")
                self._pause(RETRY_S)
        return self._open()

    def _home_and_begin(self) -> RobotState | None:
        """Go home and begin; None if something was in the way."""
        self._try(lambda client: client.home())
        state = self._try(self._wait_until_idle)
        if state is None or state.mode != "ARMED" or not state.is_fresh:
            return None
        self._said = ""
        begun = self._try(lambda client: client.begin())
        return begun if begun is not None and begun.image is not None else None

    def _wait_until_idle(self, client: RobotClient) -> RobotState:
        """Return once nothing moves by itself.

        It asks again and again: a simulated robot on a busy machine may need a minute for what
        it does in half of one, and one long question would look like a server that is gone.
        """
        began_s = self._clock.now_s()
        while True:
            self.check()
            state = client.observe(MOVING_LOOK_S, until="idle")
            moves = state.doing in MOVING_BY_ITSELF and state.mode != "STOPPED"
            if not moves or self._clock.now_s() - began_s > MOST_MOVING_S:
                return state

    def _is_ready(self, state: RobotState) -> bool:
        """Return whether the arm may move; if not, say once what it waits for."""
        if state.mode == "ARMED" and state.is_fresh:
            return True
        if state.mode == "STOPPED":
            then = f"look at it, then `rig robot clear {self._file}`"
            self._ask(f"the arm is STOPPED ({state.why}): {then}")
        elif state.mode in RESTED:
            self._ask(f"the arm is not armed: look at it, then `rig robot arm {self._file}`")
        elif state.doing == "acting":  # on the last action of a client that was cut off
            self._try(lambda client: client.home())
        else:
            self._ask(f"the arm waits: {state.why or state.doing}")
        self._try(lambda client: client.observe(LOOK_S))
        return False

    def _ask(self, text: str) -> None:
        if text != self._said:
            self.say(text)
        self._said = text

    def _connected(self) -> RobotClient | None:
        """Return the client; connect again if its server was gone."""
        if self._client is None:
            try:
                self._client = self._open()
            except RobotError as error:
                self._ask(f"waiting for the robot's server: {error}")
                self._pause(RETRY_S)
                return None
            self._ask("connected to the robot's server again")
        return self._client

    def _try(self, call: Callable[[RobotClient], Result]) -> Result | None:
        """Call the client; None, and no client any more, if its server is gone."""
        if self._client is None:
            return None
        try:
            return call(self._client)
        except RobotError as error:
            self._ask(str(error))
            self.close()
            return None
