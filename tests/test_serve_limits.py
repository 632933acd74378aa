"""What comes too often is refused, what takes too long is dropped, and a stop goes through."""

import http.client
import json
from contextlib import ExitStack, closing, contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from types import SimpleNamespace

import numpy as np
import pytest
from fake_run import make_bare_run
from page_server import TOKEN, served
from websockets.exceptions import ConnectionClosed

from rig.goals.goal_image import GoalImage
from rig.serve import decoder, run_index
from rig.serve.access import MAX_REQUESTS
from rig.serve.rate import MAX_COMMANDS_PER_S, MAX_MESSAGES_PER_S


STOP_WITHIN_S = 1.0
"""On a busy machine; what is waited for here takes longer."""


@pytest.fixture
def server(tmp_path):
    with served(tmp_path) as found:
        yield found


@pytest.fixture
def stops(server, monkeypatch):
    """The stops that reached the robot."""
    found = []
    monkeypatch.setattr(server.state.robot, "stop", found.append)
    return found


def wait_for(condition, timeout_s=10):
    end_s = monotonic() + timeout_s
    while not condition():
        assert monotonic() < end_s
        sleep(0.01)


def test_too_many_commands_close_the_socket(server):
    with server.socket(has_beat=False) as tab:
        for number in range(MAX_COMMANDS_PER_S + 1):
            tab.send("watch", run=str(number))
        with pytest.raises(ConnectionClosed) as closed:
            tab.take("never")
    assert closed.value.rcvd.code == 1008


def test_beats_are_no_commands(server):
    with server.socket(has_beat=False) as tab:
        for _ in range(MAX_MESSAGES_PER_S - 1):
            tab.send("beat")
        tab.send("hello", schema=0)
        assert tab.take("error")["code"] == "old_page"


def test_stops_are_never_too_many(server, stops):
    num = 3 * MAX_MESSAGES_PER_S
    with server.socket(has_beat=False) as tab:
        for _ in range(num):
            tab.send("stop")
        wait_for(lambda: len(stops) == num)
        tab.send("hello", schema=0)
        assert tab.take("error")["code"] == "old_page", "the socket is open"


def test_too_many_commands_over_http_are_refused_and_stops_are_not(server, stops):
    address = "/api/robot/reset"
    codes = [json.loads(server.request("POST", address)[2])["code"] for _ in range(40)]
    assert set(codes) == {"asleep", "too_many"}
    first = codes.index("too_many")
    assert first >= MAX_COMMANDS_PER_S
    for other in ("/api/robot", "/api/robot/go"):
        server.post(other, status=429 if codes[-1] == "too_many" else None)
    for _ in range(40):
        server.post("/api/robot/stop")
    assert len(stops) == 40


@contextmanager
def slow_decoding(monkeypatch, limit_s):
    """Decoding an image that starts with ``slow`` waits until the block ends."""
    is_over = Event()

    def read(data, size):
        if data.startswith(b"slow"):
            assert is_over.wait(20)
        image = np.zeros((size, size, 3), np.uint8)
        return GoalImage(image=image, changes=(), task=None, state=None)

    with monkeypatch.context() as patch:
        patch.setattr(decoder, "read_sent_image", read)
        patch.setattr(decoder, "MAX_DECODE_S", limit_s)
        try:
            yield is_over
        finally:
            is_over.set()


@pytest.fixture
def made(server, monkeypatch):
    """The goals that were made of images, by a trained run that is none."""
    found = []

    def add(_trained, _image, source):
        found.append(source)
        return SimpleNamespace(as_json=dict)

    monkeypatch.setattr(type(server.state), "trained", lambda *_: SimpleNamespace(image_size=8))
    monkeypatch.setattr(server.state.goals, "add", add)
    return found


def upload(server, data):
    status, _, body = server.request("POST", "/api/runs/x/goals", data)
    return status, json.loads(body)


def test_an_image_that_takes_too_long_is_dropped(server, made, monkeypatch):
    with slow_decoding(monkeypatch, 0.3) as is_over:
        for _ in range(decoder.MAX_DECODES):
            status, body = upload(server, b"slow")
            assert (status, body["code"]) == (422, "too_slow")
            assert "smaller image" in body["todo"]
        assert upload(server, b"quick")[0] == 422, "each that still decodes keeps its place"
        is_over.set()
        wait_for(lambda: upload(server, b"quick")[0] == 201)
    assert made == ["upload"], "what came too late made no goal"


def test_a_stop_waits_for_no_image(server, made, stops, monkeypatch):
    with slow_decoding(monkeypatch, 10.0) as is_over:
        sending = [Thread(target=upload, args=(server, b"slow")) for _ in range(4)]
        for thread in sending:
            thread.start()
        start_s = monotonic()
        server.post("/api/robot/stop")
        assert monotonic() - start_s < STOP_WITHIN_S
        assert stops
        is_over.set()
        for thread in sending:
            thread.join()
    assert made == 4 * ["upload"]


def half_sent(server):
    """A request whose body does not come."""
    found = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    found.putrequest("POST", "/api/robot")
    found.putheader("Authorization", f"Bearer {TOKEN}")
    found.putheader("Content-Length", "10")
    found.endheaders()
    return found


def test_a_stop_comes_through_when_no_other_request_does(server, stops, monkeypatch):
    monkeypatch.setattr(server.state.command_rates, "count", lambda _address: None)
    with ExitStack() as stack:
        for _ in range(MAX_REQUESTS):
            stack.enter_context(closing(half_sent(server)))
        wait_for(lambda: server.request("GET", "/api/health")[0] == 503)
        server.post("/api/robot/stop")
        assert stops
    wait_for(lambda: server.request("GET", "/api/health")[0] == 200)


def test_a_stop_waits_for_no_run_that_is_read(server, stops, tmp_path, monkeypatch):
    make_bare_run(tmp_path / "one")
    (row,) = server.get("/api/runs")["runs"]
    make_bare_run(tmp_path / "two")
    is_read, is_over, read = Event(), Event(), run_index.facts_of

    def read_slowly(directory):
        is_read.set()
        assert is_over.wait(20)
        return read(directory)

    monkeypatch.setattr(run_index, "facts_of", read_slowly)
    listing = Thread(target=server.get, args=("/api/runs",))
    listing.start()
    try:
        assert is_read.wait(10)
        asking = Thread(target=server.get, args=(f"/api/runs/{row['id']}/attempts",))
        asking.start()
        asking.join(5)
        assert not asking.is_alive(), "who asks for a run that is known does not wait"
        server.post("/api/robot/stop")
        assert stops
    finally:
        is_over.set()
        listing.join()
    assert len(server.get("/api/runs")["runs"]) == 2
