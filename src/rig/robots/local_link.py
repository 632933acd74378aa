"""A link without a wire: client and server in one process, in simulated time.

For tests, and for learning on a simulated robot as fast as the machine can: the clock runs only
while the client waits.
"""

from rig.errors import RobotError
from rig.robots.answers import Answer
from rig.robots.clock import SimulatedClock
from rig.robots.server import RobotServer
from rig.robots.zmq_link import answered


class Simulation:
    """A server whose time passes in ticks of the guard."""

    def __init__(self, server: RobotServer, clock: SimulatedClock) -> None:
        self.server = server
        self._clock = clock
        self._tick_s = 1 / server.config.session.guard_hz

    def tick(self) -> list[Answer]:
        """Let one tick pass, for the arm and for the guard."""
        self._clock.advance(self._tick_s)
        advance = getattr(self.server.arm.robot, "advance", None)
        if advance is not None:
            advance(self._tick_s)
        return self.server.tick()

    def run(self, duration_s: float) -> None:
        """Let time pass; answers that become due are lost."""
        for _ in range(round(duration_s / self._tick_s)):
            self.tick()


class LocalLink:
    """Carries requests to a simulated server."""

    def __init__(self, simulation: Simulation, name: bytes = b"local") -> None:
        self._simulation = simulation
        self._name = name

    def request(self, data: bytes, seq: int, timeout_s: float) -> list[bytes]:
        """Hand a request over, and let time pass until its answer is due."""
        simulation = self._simulation
        end_s = simulation.server.clock.now_s() + timeout_s
        answers = simulation.server.handle(self._name, [data])
        while simulation.server.clock.now_s() < end_s:
            for answer in answers:
                if answer.client == self._name and answered(answer.head) == seq:
                    return [answer.head, answer.image]
            answers = simulation.tick()
        raise RobotError(f"no answer within {timeout_s:.1f} s")

    def close(self) -> None:
        """Do nothing."""
