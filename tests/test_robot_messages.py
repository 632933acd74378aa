"""Messages that are broken, too large, replayed, out of order or foreign move nothing."""

import json

import numpy as np
import pytest
from robot_bench import PERFECT

from rig.errors import RobotError
from rig.robots.build import simulate
from rig.robots.client import RobotClient
from rig.robots.local_link import LocalLink
from rig.robots.message import MAX_REQUEST_BYTES, MessageError, decode_request, encode
from rig.robots.read_config import read_config
from rig.robots.sockets import Sockets


HUGE = 10**400
WORDS = (
    None, True, -1, 0, 1e308, "NaN", float("nan"), [], {}, "", "\x00", 2**70, [[1]], "🦾",
    "\ud800", HUGE, -HUGE, float("inf"),
)  # fmt: skip


@pytest.fixture
def armed():
    simulation = simulate(read_config(PERFECT))
    simulation.run(0.3)
    simulation.server.person("arm")
    client = RobotClient(LocalLink(simulation))
    client.wait_until_idle()
    client.begin()
    return simulation, client


def taken_bytes(simulation, client, seq):
    """An action that the server would take."""
    return encode({
        "type": "act", "seq": seq, "lease": simulation.server.lease.token,
        "action": [0.0, 1.0, 0.0], "answers": simulation.server._seq, "ttl_ms": 200.0,
    })  # fmt: skip


def fuzzed(rng, good):
    """Returns frames that are not a valid request of the client with the lease."""
    kind = rng.integers(8)
    if kind == 0:
        num = int(rng.integers(1, MAX_REQUEST_BYTES))
        return [rng.bytes(num // 10) if rng.random() < 0.5 else b"[" * num]
    if kind == 1:
        return [b" " * (MAX_REQUEST_BYTES + int(rng.integers(1, 5000)))]
    if kind == 2:
        return [good, good] if rng.random() < 0.5 else []
    if kind == 3:  # cut off, or with a byte changed where it matters
        return [good[: int(rng.integers(0, len(good)))]]
    head = json.loads(good)
    if kind == 4:  # of another client
        head["lease"] = rng.bytes(8).hex()
    elif kind == 5:  # replayed, or out of order
        head["seq"] = int(rng.integers(-5, head["seq"]))
    elif kind == 6:  # of the client itself, but no text or number
        key = str(rng.choice(["lease", "until", "name", "why", "ttl_ms", "wait_ms", "seq"]))
        head[key] = ("\ud800", HUGE)[key in ("ttl_ms", "wait_ms", "seq")]
    else:
        key = str(rng.choice([*(set(head) - {"action", "settle"}), "wait_ms", "extra"]))
        head[key] = WORDS[rng.integers(len(WORDS))]
        head["lease"] = "0" * 16 if key != "lease" else head["lease"]
    return [json.dumps(head).encode()]


@pytest.mark.parametrize("num", [1500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_10_000_foreign_messages_move_nothing(armed, rng, num):
    simulation, client = armed
    server = simulation.server
    before = server.guard.mover.setpoint.now.copy()
    good = taken_bytes(simulation, client, 500)
    server.lease.last_seq = 499
    for number in range(num):
        frames = fuzzed(rng, good)
        for answer in server.handle(rng.bytes(5), frames):
            assert json.loads(answer.head)["type"] in ("refused", "state")
        if number % 50 == 0:
            simulation.tick()
    np.testing.assert_array_equal(server.guard.mover.setpoint.now, before)
    assert server.decision.mode == "ARMED"
    assert not any("failed" in line for line in server.log)
    assert server.dropped > 0.9 * num
    client._seq = server.lease.last_seq
    client.observe()
    assert client.act([0.0, 1.0, 0.0]).taken  # it is still well


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xff", b"1", b"null", b"{}", b'{"v":2,"type":"act","seq":0}', b'{"v":1}',
        b'{"v":1,"type":"act"}', b'{"v":1,"type":"act","seq":-1}',
        b'{"v":1,"type":"act","seq":true}', b'{"v":1,"type":"act","seq":0,"action":["1"]}',
        b'{"v":1,"type":"act","seq":0,"action":[true]}',
        b'{"v":1,"type":"act","seq":0,"action":[1' + b"0" * 400 + b"]}",
        b'{"v":1,"type":"move","seq":0}', b'{"v":1,"type":"act","seq":0,"speed":9}',
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused(data):
    with pytest.raises(MessageError):
        decode_request([data])


def test_nothing_of_an_action_of_a_wrong_length_is_taken(armed):
    simulation, client = armed
    before = simulation.server.guard.mover.setpoint.now.copy()
    for action in ([], [1.0], [1.0] * 4, [1.0] * 500):
        data = json.loads(taken_bytes(simulation, client, client._seq + 1))
        client._seq += 1
        simulation.server.handle(b"local", [encode(data | {"action": action})])
        simulation.run(0.1)
    np.testing.assert_array_equal(simulation.server.guard.mover.setpoint.now, before)
    assert simulation.server.guard.spoiled


@pytest.mark.parametrize("wrong", [{"wait_ms": HUGE}, {"ttl_ms": -HUGE}, {"until": "\ud800"}])
def test_a_wrong_field_with_the_lease_is_refused_and_says_to_whom(armed, wrong):
    simulation, client = armed
    head = json.loads(taken_bytes(simulation, client, client._seq + 1)) | wrong
    (answer,) = simulation.server.handle(b"local", [encode(head)])
    assert json.loads(answer.head)["type"] == "refused"
    assert "failed" not in json.loads(answer.head)["why"]
    simulation.tick()
    assert simulation.server.decision.mode == "ARMED"


def test_a_bug_in_a_request_holds_the_arm_and_ends_nothing(armed, monkeypatch):
    simulation, client = armed
    server = simulation.server
    for _ in range(3):
        client.act([0.0, 1.0, 0.0])
    monkeypatch.setattr(server.lease, "is_late", lambda *_: 1 / 0)
    with pytest.raises(RobotError, match="ZeroDivisionError"):
        client.act([0.0, 1.0, 0.0])
    assert server.handle(b"foreign", [b"{}"])  # the next message comes before the tick
    simulation.tick()
    assert server.decision.mode == "HOLD"
    assert "ZeroDivisionError" in server.decision.why
    assert sum("the server failed on a request" in line for line in server.log) == 2
    simulation.run(1.0)
    assert server.decision.mode == "ARMED"
    assert server.guard.mover.setpoint.is_at_rest
    assert client.observe().spoiled


def test_only_printable_text_of_a_client_is_shown(armed):
    simulation, _ = armed
    stop = {"type": "stop", "seq": 0, "why": "a\n\x1b[2Jb\u202e" + "c" * 300}
    simulation.server.handle(b"foreign", [encode(stop)])
    simulation.tick()
    assert simulation.server.decision.why == "a client stopped the arm: a[2Jb" + "c" * 195
    assert any(line.endswith("a[2Jb" + "c" * 195) for line in simulation.server.log)


def test_a_person_is_answered_whatever_there_is_to_say():
    class Socket:
        def send_multipart(self, frames, _):
            self.frames = frames

    sockets = object.__new__(Sockets)
    sockets.person = Socket()
    sockets.send_word(b"me", "STOPPED: \ud800")
    assert sockets.person.frames == [b"me", b"STOPPED: ?"]
