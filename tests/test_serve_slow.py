"""A client that reads slowly or not at all holds no one, and the server keeps little for it."""

import os
import socket
from contextlib import contextmanager
from time import monotonic

import numpy as np
import psutil
import pytest
from page_server import TOKEN, served
from websockets.sync.client import connect

from rig.serve.hub import MAX_WAITING, unpack_frame


FRAME_BYTES, NUM_FRAMES = 200_000, 400
"""80 MB: as much as a second client that takes nothing could make the server keep."""
MOST_KEPT_BYTES = 20e6


@pytest.fixture
def server(tmp_path):
    with served(tmp_path) as found:
        yield found


@contextmanager
def slow_client(server):
    """A tab whose machine takes a few kilobytes, and then no more until it is asked to."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.port))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    options = {"additional_headers": headers, "max_size": None, "max_queue": 1}
    url = f"ws://127.0.0.1:{server.port}/api/live"
    with connect(url, sock=raw, compression=None, close_timeout=0.1, **options) as found:
        yield found


def frame_number(message):
    """Return the number of a frame; None of a message that is none."""
    return unpack_frame(message)[0]["n"] if isinstance(message, bytes) else None


def test_it_holds_no_one_and_sees_the_present_when_it_reads_again(server):
    hub, data = server.state.hub, os.urandom(FRAME_BYTES)
    process, publish_s, arrive_s = psutil.Process(), [], []
    with slow_client(server) as slow, server.socket(has_beat=False) as tab:
        before = process.memory_info().rss
        for n in range(NUM_FRAMES):
            start_s = monotonic()
            hub.publish_frame("camera", data, n=n)
            publish_s.append(monotonic() - start_s)
            while frame_number(tab.socket.recv(timeout=10)) != n:
                pass
            arrive_s.append(monotonic() - start_s)
        kept = process.memory_info().rss - before
        assert kept < MOST_KEPT_BYTES
        assert np.median(publish_s) < 0.005, "the robot's step waits for no client"
        assert np.median(arrive_s) < 0.1, "the other client sees each frame at once"
        seen = []
        while not seen or seen[-1] != NUM_FRAMES - 1:
            seen.append(frame_number(slow.recv(timeout=10)))
        assert len(seen) < 20, "old frames were left out"


def test_one_that_takes_no_messages_is_closed_and_others_get_all(server):
    hub, text = server.state.hub, "x" * 2000
    with slow_client(server), server.socket(has_beat=False) as tab:
        assert len(hub.clients) == 2
        for n in range(4 * MAX_WAITING):
            hub.publish("notice", n=n, text=text)
            assert tab.take("notice")["n"] == n
        assert list(hub.clients) == [tab.id]
