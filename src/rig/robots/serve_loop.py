"""The server's loop: ticks at absolute deadlines, and messages between them, in one thread."""

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import zmq

from rig.robots.answers import Answer
from rig.robots.guard_inputs import Mode
from rig.robots.local_link import Simulation
from rig.robots.mailbox import WORDS
from rig.robots.person import OTHER_FILE, is_late
from rig.robots.server import RobotServer
from rig.robots.situation import Since
from rig.robots.sockets import Sockets


AT_REST = (Mode.OFF, Mode.READY, Mode.STOPPED)
"""Modes in which nothing moves, or will."""
ALWAYS_HEARD = ("stop", "released")
SPARE_S = 0.001
"""No message is begun so shortly before a tick."""
KEPT = 5000
"""Ticks whose lateness is remembered."""
IDLE_MS = 100
END_HOLD_S = 2.0
"""How long a server that was asked to end waits for the end of a hold on the way to rest."""


class ServeLoop:
    """Ticks and messages."""

    def __init__(
        self, server: RobotServer, sockets: Sockets, log: Callable[[str], None]
    ) -> None:
        self.server = server
        self.sockets = sockets
        self._log = log
        self._ending = ""
        self._held = Since()
        self._persons: list[tuple[bytes, str]] = []
        """Who said something since the last tick, and what to say besides."""
        self.lateness_s: list[float] = []
        """How late each tick began, of the last ones."""

    def end(self, why: str) -> None:
        """Go to the rest pose if armed, then end."""
        self._ending = self._ending or why

    def run(self) -> None:
        """Run until it is asked to end, and the arm is at rest."""
        tick_s = 1 / self.server.config.session.guard_hz
        deadline_s = last_s = self.server.clock.now_s()
        advance = getattr(self.server.arm.robot, "advance", None)
        while not self._is_over():
            deadline_s += tick_s
            self._listen_until(deadline_s)
            now_s = self.server.clock.now_s()
            self._note_lateness(now_s - deadline_s)
            if now_s - deadline_s > tick_s:
                deadline_s = now_s  # never catch up: missed ticks are missed
            if self._ending:
                self.server.rest(self._ending)
            if advance is not None:  # a simulated arm on the machine's clock
                advance(now_s - last_s)
            last_s = now_s
            self._tick(self.server.tick)

    def run_simulated(self, simulation: Simulation, is_over: Sequence[bool]) -> None:
        """Run until it is told to end; time passes while a client waits, or a person speaks."""
        while not is_over:
            for socket in self.sockets.wait(0 if self.server.is_waiting else IDLE_MS):
                self._take(socket)
            if self.server.is_waiting or self._persons:
                self._tick(simulation.tick)

    def lateness(self) -> str:
        """Return how late the last ticks were."""
        if not self.lateness_s:
            return "no tick"
        median, p99, worst = np.percentile(self.lateness_s, [50, 99, 100]) * 1000
        num = len(self.lateness_s)
        return f"{num} ticks late by {median:.2f} ms, p99 {p99:.2f} ms, worst {worst:.2f} ms"

    def _note_lateness(self, late_s: float) -> None:
        self.lateness_s.append(late_s)
        del self.lateness_s[:-KEPT]

    def _is_over(self) -> bool:
        """Return whether it was asked to end, and nothing moves or will move."""
        mode = self.server.decision.mode
        is_held = bool(self._ending) and mode == Mode.HOLD
        held_s = self._held.duration_s(is_held, self.server.clock.now_s())
        return bool(self._ending) and (mode in AT_REST or held_s >= END_HOLD_S)

    def _listen_until(self, deadline_s: float) -> None:
        """Take messages until the deadline; one of each socket even if it has passed."""
        while True:
            left_s = deadline_s - self.server.clock.now_s()
            for socket in self.sockets.wait(max(0, int(1000 * (left_s - SPARE_S)))):
                self._take(socket)
            if left_s <= SPARE_S:
                break
        left_s = deadline_s - self.server.clock.now_s()
        if left_s > 0:
            time.sleep(left_s)

    def _take(self, socket: zmq.Socket[bytes]) -> None:
        """Take one message."""
        client, *frames = socket.recv_multipart()
        if socket is self.sockets.client:
            self._answer(self.server.handle(client, frames))
        else:
            self._hear(client, frames)

    def _hear(self, client: bytes, frames: Sequence[bytes]) -> None:
        """Take a word of the person; the answer follows the next tick.

        The second frame is the digest of the file as the person has it, the third one the
        machine's time, and the fourth one, of a stop, where the file is. An old word is
        ignored, unless it stops the arm or lets the key go: the person was told that nobody
        heard it.
        """
        texts = [each.decode(errors="replace") for each in frames]
        word, digest, said_s, file = [*texts, "", "", "", ""][:4]
        config = self.server.config
        is_other_file = digest not in ("", config.digest) or file not in ("", config.file)
        if word in WORDS and word not in ALWAYS_HEARD and is_late(said_s):
            text = f"{word} came too late: say it again"
            self.sockets.send_word(client, f"{self.server.decision.mode}: {text}")
        elif word in ("arm", "held") and is_other_file:
            text = "not armed: the file was changed since this server read it: start it again"
            self.sockets.send_word(client, f"{self.server.decision.mode}: {text}")
        elif word in WORDS:
            self.server.person(word)
            besides = OTHER_FILE if word == "stop" and is_other_file else ""
            self._persons.append((client, besides))

    def _tick(self, tick: Callable[[], list[Answer]]) -> None:
        """Run a tick, and tell the persons how things are after it."""
        self._answer(tick())
        decision = self.server.decision
        text = f"{decision.mode}: {decision.why}" if decision.why else str(decision.mode)
        for client, besides in self._persons:
            self.sockets.send_word(client, text + besides)
        self._persons.clear()

    def _answer(self, answers: Iterable[Answer]) -> None:
        self.sockets.send(answers)
        for line in self.server.log:
            self._log(line)
        self.server.log.clear()
