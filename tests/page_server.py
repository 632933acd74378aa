"""A server of the page for tests: real sockets, on a port of its own, in a thread."""

import http.client
import json
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from rig.serve.access import Access
from rig.serve.app import make_app
from rig.serve.hub import unpack_frame
from rig.serve.server import ServeOptions, bind, make_state, uvicorn_config


TOKEN = "token-of-the-tests"


class PageServer:
    """A running server, and requests to it."""

    def __init__(self, state, app, port, token):
        self.state, self.app, self.port, self.token = state, app, port, token
        self.url = f"http://127.0.0.1:{port}"

    def request(self, method, path, body=None, token=TOKEN, headers=()):
        """Send a request; return status, headers and body. Headers may come twice."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        names = {name.lower() for name, _ in headers}
        connection.putrequest(
            method, path, skip_host="host" in names, skip_accept_encoding=True
        )
        for name, value in headers:
            connection.putheader(name, value)
        if token:
            connection.putheader("Authorization", f"Bearer {token}")
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        if data is not None and "content-length" not in names:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders()
        if data is not None:
            connection.send(data)
        response = connection.getresponse()
        found = response.status, dict(response.getheaders()), response.read()
        connection.close()
        return found

    def get(self, path):
        status, _, body = self.request("GET", path)
        assert status == 200, (status, body)
        return json.loads(body)

    def post(self, path, body=None, status=None):
        found, _, data = self.request("POST", path, {} if body is None else body)
        assert found == status if status else found < 300, (found, data)
        return json.loads(data)

    @contextmanager
    def socket(self, token=TOKEN, *, has_beat=True, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        url = f"ws://127.0.0.1:{self.port}/api/live"
        with connect(url, additional_headers=headers, max_size=None, **options) as found:
            is_over = threading.Event()
            beating = threading.Thread(target=beat, args=(found, is_over))
            try:
                if has_beat:
                    beating.start()
                yield Tab(found)
            finally:
                is_over.set()
                if has_beat:
                    beating.join()

    def wait_for(self, state, timeout_s=60):
        """Wait until the robot is in a state."""
        end_s = monotonic() + timeout_s
        while self.state.robot.status.state != state:
            status = self.state.robot.status
            assert status.state == state or status.state != "fault", status
            assert monotonic() < end_s, status
            sleep(0.01)


def beat(socket, is_over):
    """Say that the tab is there, as the page does, until it is over."""
    with suppress(ConnectionClosed):
        while not is_over.wait(0.25):
            socket.send('{"type":"beat"}')


class Tab:
    """A connected socket, which keeps what it is sent."""

    def __init__(self, socket):
        self.socket = socket
        self.messages, self.frames = [], []
        self.id = self.take("hello")["client"]

    def take(self, kind, timeout_s=20):
        """Return the next message of a kind."""
        while True:
            message = self.socket.recv(timeout=timeout_s)
            if isinstance(message, bytes):
                self.frames.append(unpack_frame(message)[0])
            else:
                self.messages.append(json.loads(message))
                if self.messages[-1]["type"] == kind:
                    return self.messages[-1]

    def send(self, kind, **values):
        self.socket.send(json.dumps({"type": kind, **values}))


@contextmanager
def served(*roots, token=TOKEN, **options):
    """Serve some directories; the block gets a :class:`PageServer`."""
    state = make_state(ServeOptions(roots=[Path(root) for root in roots], **options))
    with bind("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        guard = make_app(state, Access(token=token, port=port))
        server = uvicorn.Server(uvicorn_config(guard))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            sleep(0.01)
        try:
            yield PageServer(state, guard, port, token)
        finally:
            server.should_exit = True
            thread.join(timeout=20)
