"""A simulated SO-101 behind its server on a simulated clock, and what its driver was given."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rig.robots.build import simulate
from rig.robots.client import RobotClient
from rig.robots.guard import Guard
from rig.robots.local_link import LocalLink
from rig.robots.message import encode
from rig.robots.read_config import read_config
from rig.robots.so101_kinematics import So101Kinematics
from rig.simulated.so101 import SimulatedSo101


FILE = Path(__file__).parent.parent / "examples" / "robots" / "sim_so101.toml"
PERFECT = FILE.with_name("perfect.toml")
HOME = (0.0, -12.96, 28.1, 54.86, 0.0, 0.0)
QUIET = {
    "read_errors": 0.0,
    "lost_frames": 0.0,
    "late_commands": 0.0,
    "swings_per_frame": 0.0,
    "jpeg_quality": 0,
}
"""No random faults, so that each test has its own fault only."""


def config_with(**groups):
    """Return the file's settings with others in some groups, unchecked."""
    config = read_config(FILE)
    changed = {
        name: replace(getattr(config, name), **values) for name, values in groups.items()
    }
    return replace(config, **changed)


class Bench:
    """An arm, its server and a client in one process; time passes when it is told."""

    def __init__(self, config=None, *, arm=True, start_deg=HOME, is_calibrated=True, **options):
        self.config = config or config_with()
        self.robot = SimulatedSo101(start_deg=start_deg, **{**QUIET, **options})
        self.robot.is_calibrated = is_calibrated
        if is_calibrated is None:
            self.robot.joint_ranges_deg = {}
        self.sent = []
        self.robot.send_action = self._record(self.robot.send_action)
        self.simulation = simulate(self.config, self.robot)
        self.server = self.simulation.server
        self.guard: Guard = self.server.guard
        self.kinematics = So101Kinematics()
        self.simulation.run(0.16)
        self.client = RobotClient(LocalLink(self.simulation))
        if arm:
            self.person("arm")
            self.client.wait_until_idle()
            assert self.mode == "ARMED", self.server.log
            self.client.begin()

    def _record(self, send):
        def sent(action):
            self.sent.append(np.array(list(action.values())))
            return send(action)

        return sent

    @property
    def mode(self):
        return str(self.server.decision.mode)

    @property
    def doing(self):
        return str(self.server.decision.doing)

    @property
    def now_s(self):
        return self.server.clock.now_s()

    @property
    def target(self):
        return self.sent[-1]

    @property
    def joints(self):
        return self.guard.situation.measured

    def person(self, *words):
        for word in words:
            self.server.person(word)
            self.tick()

    def tick(self):
        self.simulation.tick()

    def run(self, duration_s):
        self.simulation.run(duration_s)

    def until(self, is_so, within_ms, since_s=None):
        """Let time pass until something is so; fail unless it is so in time.

        The guard looks every 20 ms, so that it may be one tick after the bound's last.
        """
        since_s = self.now_s if since_s is None else since_s
        while not is_so():
            took_ms = 1000 * (self.now_s - since_s)
            assert took_ms < within_ms - 1e-6, f"not within {within_ms} ms: {self.server.log}"
            self.tick()
        return 1000 * (self.now_s - since_s)

    def until_mode(self, mode, within_ms, since_s=None):
        took_ms = self.until(lambda: self.mode == mode, within_ms, since_s)
        assert any(line.startswith(f"{mode}: ") for line in self.server.log)
        return took_ms

    def move(self, action=(0.0, 1.0, 0.0), num=5):
        for _ in range(num):
            state = self.client.act(action)
            assert state.taken, (state.mode, state.why)
        return state

    def act_bytes(self, action, seq, answers=None, ttl_ms=200.0):
        """Return the bytes of an action, as the client would send it."""
        return encode({
            "type": "act", "seq": seq, "lease": self.server.lease.token, "action": list(action),
            "answers": self.server._seq if answers is None else answers, "ttl_ms": ttl_ms,
        })  # fmt: skip

    def deliver(self, data):
        answers = self.server.handle(b"local", [data])
        self.client._seq = max(self.client._seq, self.server.lease.last_seq)
        return answers

    def next_seq(self):
        return self.server.lease.last_seq + 1

    def log_has(self, text):
        return any(text in line for line in self.server.log)

    def tools_m(self, targets=None):
        return np.array([self.kinematics.forward(each) for each in targets or self.sent])
