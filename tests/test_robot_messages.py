"""Messages that are broken, too large, replayed, out of order or foreign move nothing."""

import json

import numpy as np
import pytest
from robot_bench import PERFECT

from rig.robots.build import simulate
from rig.robots.client import RobotClient
from rig.robots.local_link import LocalLink
from rig.robots.message import MAX_REQUEST_BYTES, MessageError, decode_request, encode
from rig.robots.read_config import read_config


WORDS = (None, True, -1, 0, 1e308, "NaN", float("nan"), [], {}, "", "\x00", 2**70, [[1]], "🦾")


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
        return [rng.bytes(int(rng.integers(0, 300)))]
    if kind == 1:
        return [b" " * (MAX_REQUEST_BYTES + int(rng.integers(1, 5000)))]
    if kind == 2:
        return [good, good] if rng.random() < 0.5 else []
    if kind == 3:  # cut off, or with a byte changed where it matters
        return [good[: int(rng.integers(0, len(good)))]]
    if kind == 4:
        return [b"[" * int(rng.integers(1, MAX_REQUEST_BYTES))]
    head = json.loads(good)
    if kind == 5:  # of another client
        head["lease"] = rng.bytes(8).hex()
    elif kind == 6:  # replayed, or out of order
        head["seq"] = int(rng.integers(-5, head["seq"]))
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
