"""Requests and messages that nobody planned for: each gets an answer, and no fault of ours."""

import json
import logging
from contextlib import suppress

import pytest
from fake_run import make_bare_run
from page_server import TOKEN, served
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed, InvalidStatus


NUM_REQUESTS, NUM_MESSAGES = 1000, 10_000
WORDS = [
    "",
    "x",
    "..",
    "%2e%2e",
    "%00",
    "\u00fc",
    "0" * 300,
    "-1",
    "nan",
    "[]",
    "{}",
    "null",
    "1e999",
]
VALUES = [None, True, -1, 1e308, float("nan"), "", "x" * 500, [], {}, [[]], {"hand": [1e9]}]
KEYS = [
    "run",
    "goal",
    "client",
    "start",
    "speed",
    "things",
    "num",
    "seed",
    "again",
    "n",
    "type",
]
KINDS = ["hello", "beat", "watch", "unwatch", "scene", "", "x", None, 3, ["hello"]]

pytestmark = [pytest.mark.slow, pytest.mark.ci]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    make_bare_run(root / "one")
    with served(root) as found:
        yield found


def any_of(values, rng):
    return values[rng.integers(len(values))]


def faults_of_the_server(caplog):
    # The test's own client logs an error too where the server hangs up mid-message.
    return [
        record
        for record in caplog.records
        if record.levelno >= logging.ERROR and record.name != "websockets.client"
    ]


def any_object(rng):
    return {any_of(KEYS, rng): any_of(VALUES, rng) for _ in range(rng.integers(5))}


def test_random_requests_get_an_answer_and_no_fault(server, rng, caplog):
    routes = [route for route in server.app._app.routes if isinstance(route, Route)]
    (row,) = server.get("/api/runs")["runs"]
    statuses = set()
    for _ in range(NUM_REQUESTS):
        path = any_of(routes, rng).path
        for name in ("run_id", "goal_id", "attempt_id", "name"):
            word = row["id"] if rng.random() < 0.5 else any_of(WORDS, rng)
            path = path.replace(f"{{{name}}}", word.replace("\u00fc", "%C3%BC"))
        method = any_of(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"], rng)
        text = json.dumps(any_object(rng)).encode()
        body = any_of([None, text, text[:-1], rng.bytes(200), b"[" * 5000], rng)
        if rng.random() < 0.3:
            path += f"?where={any_of(WORDS, rng).replace(chr(252), '%FC')}&after=%2d1"
        token = TOKEN if rng.random() < 0.9 else any_of(["", "x"], rng)
        statuses.add(server.request(method, path, body, token=token)[0])
    assert max(statuses) < 500
    assert {200, 401, 404, 405} <= statuses
    assert not faults_of_the_server(caplog)


def test_random_messages_close_the_socket_at_most(server, rng, caplog):
    left, num_closed = NUM_MESSAGES, 0
    while left > 0:
        with suppress(ConnectionClosed, InvalidStatus), server.socket(has_beat=False) as tab:
            for _ in range(60):
                left -= 1
                kind = any_of(KINDS, rng) if rng.random() < 0.05 else any_of(KINDS[:5], rng)
                message = json.dumps({**any_object(rng), "type": kind})
                is_bytes = rng.random() < 0.01
                tab.socket.send(message.encode() if is_bytes else message)
        num_closed += 1
    assert num_closed > NUM_MESSAGES / 60
    assert server.get("/api/health")["schema"] == 1
    with server.socket() as tab:
        assert tab.id
    assert not faults_of_the_server(caplog)
