"""A link over ZMQ: a DEALER socket that talks to the server's ROUTER."""

import zmq

from rig.errors import RobotError
from rig.robots.clock import SystemClock
from rig.robots.message import MessageError, decode


MAX_ANSWER_BYTES = 1 << 20


class ZmqLink:
    """One request at a time; answers to older requests are dropped."""

    def __init__(self, endpoint: str) -> None:
        """Open the socket; that a server is there shows with the first answer."""
        self._endpoint = endpoint
        self._clock = SystemClock()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_ANSWER_BYTES)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise RobotError(f"{endpoint} is no address: use tcp://HOST:PORT") from error

    def request(self, data: bytes, seq: int, timeout_s: float) -> list[bytes]:
        """Send a request, and return the answer's head and image."""
        deadline_s = self._clock.now_s() + timeout_s
        self._socket.send(data)
        while (left_s := deadline_s - self._clock.now_s()) > 0:
            if not self._socket.poll(max(1, int(1000 * left_s))):
                continue
            frames = self._socket.recv_multipart()
            if len(frames) == 2 and answered(frames[0]) == seq:
                return frames
        raise RobotError(
            f"no answer from {self._endpoint} within {timeout_s:.1f} s: does "
            "`rig robot serve` run there?"
        )

    def close(self) -> None:
        """Close the socket; what was not sent is dropped."""
        self._socket.close(linger=0)
        self._context.term()


def answered(head: bytes) -> int:
    """Return which request an answer is for; -1 for none of ours."""
    try:
        return int(decode(head).get("answers", -1))
    except (MessageError, TypeError, ValueError):
        return -1
