"""The server's two sockets: one for a client over TCP, one for the person at the robot."""

from collections.abc import Iterable

import zmq

from rig.errors import RobotError
from rig.robots.answers import Answer
from rig.robots.config import RobotConfig
from rig.robots.message import MAX_REQUEST_BYTES
from rig.robots.person import claim


QUEUE = 100
"""Messages that wait; more are dropped."""


class Sockets:
    """The client's socket and the person's."""

    def __init__(self, config: RobotConfig) -> None:
        """Bind both.

        Raises:
            RobotError: An address is taken.
        """
        endpoint, self._lock = claim(config)
        self._context = zmq.Context()
        try:
            self.client = self._bind(f"tcp://{config.wire.address}:{config.wire.port}")
            self.person = self._bind(endpoint)
        except RobotError:
            self.close()
            raise
        self.endpoint: str = self.client.getsockopt_string(zmq.LAST_ENDPOINT)
        self._poller = zmq.Poller()
        self._poller.register(self.client, zmq.POLLIN)
        self._poller.register(self.person, zmq.POLLIN)

    def _bind(self, endpoint: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_REQUEST_BYTES)
        socket.setsockopt(zmq.RCVHWM, QUEUE)
        socket.setsockopt(zmq.SNDHWM, QUEUE)
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            raise RobotError(f"{endpoint} can't be listened on: {error}") from error
        return socket

    def wait(self, timeout_ms: int) -> list[zmq.Socket[bytes]]:
        """Wait for messages; the person's come first."""
        ready = dict(self._poller.poll(timeout_ms))
        return [socket for socket in (self.person, self.client) if socket in ready]

    def send(self, answers: Iterable[Answer]) -> None:
        """Send answers; a client that is gone or does not read loses them."""
        for answer in answers:
            try:
                self.client.send_multipart(
                    [answer.client, answer.head, answer.image], zmq.NOBLOCK
                )
            except zmq.ZMQError:
                continue

    def send_word(self, client: bytes, text: str) -> None:
        """Answer a person."""
        try:
            self.person.send_multipart([client, text.encode(errors="replace")], zmq.NOBLOCK)
        except zmq.ZMQError:
            return

    def close(self) -> None:
        """Close both."""
        self._context.destroy(linger=0)
        self._lock.close()
