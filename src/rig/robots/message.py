"""What travels on the wire: one JSON object, and after it the bytes of an image. No pickle.

From the client, one frame, at most 4096 bytes::

    {"v": 1, "type": "hello", "seq": 0, "name": "learner"}
    {"v": 1, "type": "act", "seq": 7, "lease": "...", "answers": 6, "ttl_ms": 200,
     "action": [0.5, -1.0], "settle": false}
    {"v": 1, "type": "observe", "seq": 8, "lease": "...", "wait_ms": 0, "until": ""}
    {"v": 1, "type": "begin" | "home" | "bye", "seq": 9, "lease": "..."}
    {"v": 1, "type": "stop", "seq": 10, "why": "a person pressed Ctrl-C"}

From the server, two frames: the head, and RGB bytes of the shape that the head names, or none::

    {"v": 1, "type": "welcome", "answers": 0, "lease": "...", "robot": {...}}, b""
    {"v": 1, "type": "state", "seq": 7, "answers": 7, "mode": "MOVING", "why": "", ...}, b"..."
    {"v": 1, "type": "refused", "answers": 8, "why": "another client has the lease"}, b""

Times on the wire are ages and durations, never a clock's. ``seq`` counts a sender's messages;
``answers`` of an action is the state that it was chosen for, which is how the server, by its
own clock, drops an action that was too long on the way. ``stop`` needs no lease.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from rig.robots.robot import Image


VERSION = 1
MAX_REQUEST_BYTES = 4096
TYPES = ("hello", "act", "observe", "begin", "home", "bye", "stop")
MAX_SEQ = 2**53


class MessageError(Exception):
    """A message is not one of ours."""


@dataclass(frozen=True, slots=True)
class Request:
    """A checked message of a client."""

    type: str
    seq: int
    lease: str = ""
    answers: int = -1
    ttl_ms: float = 0.0
    action: tuple[float, ...] = ()
    settle: bool = False
    wait_ms: float = 0.0
    until: str = ""
    name: str = ""
    why: str = ""


FIELDS: dict[str, tuple[type, ...]] = {
    "type": (str,), "seq": (int,), "lease": (str,), "answers": (int,), "ttl_ms": (int, float),
    "action": (list,), "settle": (bool,), "wait_ms": (int, float), "until": (str,),
    "name": (str,), "why": (str,),
}  # fmt: skip


def encode(head: dict[str, Any]) -> bytes:
    """Return a head as JSON."""
    return json.dumps(head | {"v": VERSION}, separators=(",", ":")).encode()


def decode(data: bytes) -> dict[str, Any]:
    """Return the JSON object in some bytes.

    Raises:
        MessageError: There is none, or it is of another version.
    """
    try:
        head = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise MessageError(f"not JSON: {error}") from error
    if not isinstance(head, dict):
        raise MessageError("not a JSON object")
    if head.get("v") != VERSION:
        raise MessageError(f"protocol version {head.get('v')!r}, this is {VERSION}")
    return head


def decode_request(frames: list[bytes]) -> Request:
    """Return a client's message, checked.

    NaN in an action passes: the guard stops the arm on it.

    Raises:
        MessageError: It is too large, not JSON, or has wrong or unknown fields.
    """
    if len(frames) != 1 or len(frames[0]) > MAX_REQUEST_BYTES:
        raise MessageError(f"a request is one frame of at most {MAX_REQUEST_BYTES} bytes")
    head = decode(frames[0])
    del head["v"]
    for key, value in head.items():
        if key not in FIELDS or type(value) not in FIELDS[key]:
            raise MessageError(f"field {key!r} is unknown or of a wrong type")
    if head.get("type") not in TYPES or not 0 <= head.get("seq", -1) < MAX_SEQ:
        raise MessageError("type or seq is missing or wrong")
    try:
        "".join(each for each in head.values() if isinstance(each, str)).encode()
    except UnicodeEncodeError as error:
        raise MessageError("a text has half of a pair of surrogates") from error
    head["action"] = numbers(head.get("action", []))
    for key in ("ttl_ms", "wait_ms"):
        (head[key],) = numbers([head.get(key, 0.0)])
        if not isfinite(head[key]):
            raise MessageError(f"{key} is not finite")
    return Request(**head)


def printable(text: str, most: int) -> str:
    """Return what may be shown of a text from elsewhere: no newlines, no control codes."""
    return "".join(filter(str.isprintable, text))[:most]


def numbers(values: list[Any]) -> tuple[float, ...]:
    """Return a list of numbers as a tuple."""
    if any(type(value) not in (int, float) for value in values):
        raise MessageError("an action is a list of numbers")
    try:
        return tuple(float(value) for value in values)
    except OverflowError as error:
        raise MessageError("a number is too large") from error


def image_of(head: Mapping[str, Any], data: bytes) -> Image | None:
    """Return the image of a server's message, or None if it has none.

    Raises:
        MessageError: The bytes are not of the shape that the head names.
    """
    shape = head.get("image_shape")
    if shape is None:
        return None
    is_shape = isinstance(shape, list) and len(shape) == 3 and shape[2] == 3
    if not is_shape or any(type(side) is not int or side < 1 for side in shape):
        raise MessageError(f"an image has no shape {shape!r}")
    if len(data) != int(np.prod(shape)):
        raise MessageError(f"{len(data)} bytes are no image of shape {shape}")
    return np.frombuffer(data, np.uint8).reshape(shape)
