"""The newest message of a topic, and how old it is."""

import threading
import time
from typing import Any

from rig.adapters.ros_messages import image_of
from rig.robots.robot import Image, ReadError


class Latest:
    """Keeps the newest message; threads of the middleware put, ours take."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._message: Any = None
        self._number = 0
        self._arrived_s = 0.0

    def put(self, message: Any) -> None:
        """Keep a message."""
        with self._condition:
            self._message, self._arrived_s = message, time.monotonic()
            self._number += 1
            self._condition.notify_all()

    def get(self, max_age_s: float) -> Any:
        """Return the newest message.

        Raises:
            ReadError: There is none, or it is older.
        """
        with self._condition:
            if self._message is None:
                raise ReadError("no message yet")
            age_s = time.monotonic() - self._arrived_s
            if age_s > max_age_s:
                raise ReadError(f"the newest message is {age_s:.2f} s old")
            return self._message

    def wait(self, seen: int, timeout_s: float) -> tuple[int, Any]:
        """Return the number and content of a message newer than ``seen``.

        Raises:
            TimeoutError: There was none in time.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: self._number > seen, timeout_s):
                raise TimeoutError(f"no image for {timeout_s:.2f} s")
            return self._number, self._message


class TopicCamera:
    """A camera topic, in the shape of LeRobot's cameras."""

    def __init__(self) -> None:
        self.latest = Latest()
        self._seen = 0

    def async_read(self, timeout_ms: float = 200) -> Image:
        """Wait for an image that was not returned before.

        Raises:
            TimeoutError: There was none in time.
        """
        self._seen, message = self.latest.wait(self._seen, timeout_ms / 1000)
        return image_of(message)
