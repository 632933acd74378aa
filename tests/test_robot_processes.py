"""Ten faults with real processes, real sockets and real kills, on the machine's clock.

The server runs the simulated SO-101; what the learner does, a process of its own does. Bounds
have a margin for a busy machine: what the guard itself adds is measured by the tests on a
simulated clock, and its jitter by `benchmarks.guard`.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress

import numpy as np
import pytest
from robot_bench import FILE

from rig.errors import RobotError
from rig.robots.client import RobotClient


pytestmark = pytest.mark.slow
BUSY_S = 0.35
"""What a busy machine may add to a bound, here and in the processes that are watched."""
LEARNER = """
import sys, time
from rig.robots.client import RobotClient
robot = RobotClient.connect(sys.argv[1])
robot.begin()
number = 0
while True:
    number += 1
    state = robot.act([0.0, 0.3 * (-1) ** (number // 10), 0.0])
    print(state.time_s, state.mode, flush=True)
    if len(sys.argv) > 2 and number == 15:
        time.sleep(30)
"""


@contextmanager
def process(*command):
    running = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGCONT)
            running.kill()
        running.wait()
        running.stdout.close()
        running.stderr.close()


class Server:
    """A server process, its log with times, and what its person says."""

    def __init__(self, running, file):
        self.process = running
        self.file = file
        self.lines = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.endpoint = self.wait_for("serving", 60)[1].split(" at ")[1].split()[0]

    def _read(self):
        for line in self.process.stderr:
            self.lines.append((time.monotonic(), line.strip()))

    def wait_for(self, text, within_s, since=0):
        """Returns time and text of the first line that matches."""
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            for when_s, line in self.lines[since:]:
                if re.search(text, line):
                    return when_s, line
            time.sleep(0.005)
        raise AssertionError(f"no {text!r} within {within_s} s: {self.lines}")

    def say(self, word, code=0):
        command = [sys.executable, "-m", "rig", "robot", word, str(self.file)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return (done.stdout or done.stderr).strip()

    def arm(self):
        self.say("arm")
        self.wait_for("homing is done", 30)


@contextmanager
def served(tmp_path, *, options="", wire=""):
    file = tmp_path / "robot.toml"
    text = FILE.read_text().replace("seed = 0", f"seed = 0\nstart_deg = {START}\n{options}")
    file.write_text(f"{text}\n[wire]\nport = 0\n{wire}\n")
    with process("-m", "rig", "robot", "serve", str(file)) as running:
        yield Server(running, file)


START = [0, -12.96, 28.1, 54.86, 0, 0]


@contextmanager
def learner(server, *more, endpoint=None):
    with process("-c", LEARNER, endpoint or server.endpoint, *more) as running:
        while "MOVING" not in (line := running.stdout.readline()):
            assert line, running.stderr.read()
        yield running


def test_learner_killed(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with learner(server) as running:
            since = len(server.lines)
            running.kill()
            killed_s = time.monotonic()
            when_s, line = server.wait_for("HOLD", 2, since)
        assert when_s - killed_s < 0.25 + BUSY_S
        assert "last action is" in line
        with pytest.raises(RobotError, match="has the lease"):
            RobotClient.connect(server.endpoint)
        time.sleep(5.2)
        with RobotClient.connect(server.endpoint) as robot:  # its lease ran out
            assert robot.observe().spoiled
            robot.begin()
            assert robot.act([0, 0.1, 0]).taken


def test_learner_stopped_and_continued(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with learner(server) as running:
            since = len(server.lines)
            running.send_signal(signal.SIGSTOP)
            stopped_s = time.monotonic()
            assert server.wait_for("HOLD", 2, since)[0] - stopped_s < 0.25 + BUSY_S


def test_learner_that_computes_for_30_s(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with learner(server, "sleeps"):
            assert "limit 0.23 s" in server.wait_for("HOLD", 20)[1]


class Proxy:
    """A cable that can be cut, or made long."""

    def __init__(self, endpoint):
        self._port = int(endpoint.rsplit(":", 1)[1])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.delay_s = 0.0
        self.is_cut = False
        self._sockets = [self._listener]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        near, _ = self._listener.accept()
        far = socket.create_connection(("127.0.0.1", self._port))
        self._sockets += [near, far]
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        with suppress(OSError):  # closed
            while data := source.recv(1 << 16):
                time.sleep(self.delay_s)
                if not self.is_cut:
                    sink.sendall(data)

    def close(self):
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.mark.parametrize("kind", ["cut", "delayed"])
def test_wire(tmp_path, kind):
    with served(tmp_path) as server:
        server.arm()
        proxy = Proxy(server.endpoint)
        with closing(proxy), learner(server, endpoint=proxy.endpoint):
            since = len(server.lines)
            if kind == "cut":
                proxy.is_cut = True
            else:
                proxy.delay_s = 1.0
            cut_s = time.monotonic()
            assert server.wait_for("HOLD", 2, since)[0] - cut_s < 0.25 + BUSY_S
            time.sleep(2.5)  # late actions arrive, and are dropped
            assert not [line for _, line in server.lines[since:] if "MOVING" in line]


def test_camera_freezes(tmp_path):
    with served(tmp_path, options='faults = [["freeze", 20.0, 90.0]]') as server:
        server.arm()
        with learner(server):
            hold_s, _ = server.wait_for("no newer image", 40)
            stop_s, line = server.wait_for("STOPPED: no newer image", 20)
        assert stop_s - hold_s == pytest.approx(1.8, abs=BUSY_S)
        assert "limit 2 s" in line


def test_blocked_joint(tmp_path):
    with served(tmp_path, options='faults = [["blocked", 20.0, 90.0]]') as server:
        server.arm()
        time.sleep(max(0.0, 20.5 - (time.monotonic() - server.lines[0][0])))
        with RobotClient.connect(server.endpoint) as robot:
            robot.begin()
            for _ in range(12):
                state = robot.act([-1, 0, 0])
            assert state.mode == "STOPPED"
            time.sleep(2.0)
            state = robot.observe()
            assert np.abs(np.subtract(state.joints, state.sent)).max() < 3


def test_server_killed_and_started_again(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with learner(server) as running:
            server.process.kill()
            running.wait(10)
            assert running.returncode != 0
            assert "no answer from" in running.stderr.read()
    with served(tmp_path) as server, RobotClient.connect(server.endpoint) as robot:
        assert robot.observe().mode == "READY"  # a person has to arm it again


def test_server_asked_to_end_brings_the_arm_to_rest(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with learner(server):
            since = len(server.lines)
            server.process.terminate()
            asked_s = time.monotonic()
            when_s, _ = server.wait_for("to the rest pose", 5, since)
            assert when_s - asked_s < 0.1 + BUSY_S
            server.wait_for("resting is done", 20, since)
            server.wait_for("the arm holds its pose", 5, since)
        assert server.process.wait(5) == 0


def test_server_suspended_for_5_s(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with learner(server):
            since = len(server.lines)
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(5.0)
            server.process.send_signal(signal.SIGCONT)
            # It holds; where the camera's next image comes a moment later, it is stopped.
            assert server.wait_for("did not run for|no newer image", 2, since)


def test_stop_clear_and_ctrl_c(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with learner(server) as running:
            since = len(server.lines)
            server.process.send_signal(signal.SIGINT)
            asked_s = time.monotonic()
            assert server.wait_for("STOPPED", 2, since)[0] - asked_s < 0.05 + BUSY_S
            assert any("STOPPED" in running.stdout.readline() for _ in range(100))
        assert "says STOPPED" in server.say("arm", 2)
        assert server.say("clear") == "READY"
        server.arm()
        since = len(server.lines)
        server.process.send_signal(signal.SIGINT)  # not the first one, and a stop again
        server.wait_for("STOPPED", 2, since)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(5) == 0


def test_foreign_bytes_and_a_second_client(tmp_path):
    with served(tmp_path) as server:
        server.arm()
        with RobotClient.connect(server.endpoint) as robot:
            before = robot.observe().sent
            port = int(server.endpoint.rsplit(":", 1)[1])
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", port)) as stranger:
                    stranger.sendall(os.urandom(20000))
            with pytest.raises(RobotError, match="has the lease"):
                RobotClient.connect(server.endpoint, "second")
            assert robot.observe(0.3).sent == before
            robot.begin()
            assert robot.act([0, 0.5, 0]).taken
