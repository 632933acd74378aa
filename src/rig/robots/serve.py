"""``rig robot serve``: the server on the machine's clock, or in simulated time.

Where the system allows it, the process asks for real-time scheduling, else for short turns.
Ctrl-C stops the arm, or, where it is stopped or not armed, ends the server. SIGTERM brings the
arm slowly to its rest pose and ends the server. The torque is never switched off from here: an
arm without brakes would fall.
"""

import gc
import signal

from rig.robots.build import build_server, simulate
from rig.robots.clock import SystemClock
from rig.robots.config import RobotConfig
from rig.robots.priority import ask_for_priority, ask_for_short_turns
from rig.robots.serve_loop import AT_REST, ServeLoop
from rig.robots.sockets import Sockets
from rig.terminal import print_to_stderr


def serve(
    config: RobotConfig, *, is_simulated: bool = False, wants_priority: bool = True
) -> None:
    """Serve a robot until SIGINT (stop) or SIGTERM (rest pose).

    Raises:
        RobotError: The robot can't be connected, or the address is taken.
    """
    sockets = Sockets(config)
    try:
        if is_simulated:
            serve_simulated(config, sockets)
        else:
            ask_for_the_processor(wants_priority=wants_priority)
            serve_real(config, sockets)
    finally:
        sockets.close()


def serve_real(config: RobotConfig, sockets: Sockets) -> None:
    """Serve on the machine's clock."""
    server = build_server(config, SystemClock())
    loop = ServeLoop(server, sockets, write_line)

    def on_interrupt(*_: object) -> None:
        if server.decision.mode in AT_REST:
            loop.end("a person pressed Ctrl-C")
        else:
            server.stop("a person pressed Ctrl-C; once more ends the server")

    signal.signal(signal.SIGINT, on_interrupt)
    signal.signal(signal.SIGTERM, lambda *_: loop.end("the server was asked to end"))
    gc.freeze()
    write_line(f"serving {config.type} at {sockets.endpoint}")
    try:
        loop.run()
    finally:
        server.camera.close()
        server.arm.disconnect()
    write_line(f"ended; the arm holds its pose; {loop.lateness()}")


def serve_simulated(config: RobotConfig, sockets: Sockets) -> None:
    """Serve in simulated time: it passes only while a client waits."""
    simulation = simulate(config)
    server = simulation.server
    server.lease.silence_clock = SystemClock()
    is_over: list[bool] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: is_over.append(True))
    write_line(f"serving {config.type} at {sockets.endpoint} in simulated time")
    loop = ServeLoop(server, sockets, write_line)
    loop.run_simulated(simulation, is_over)


def ask_for_the_processor(*, wants_priority: bool) -> None:
    """Ask for real-time scheduling, or else for short turns."""
    if wants_priority and ask_for_priority():
        return
    ask_for_short_turns()
    if wants_priority:
        write_line("no real-time priority here: see docs/robot.md")


def write_line(text: str) -> None:
    """Write a line to the log, on standard error."""
    print_to_stderr(f"rig robot: {text}")
