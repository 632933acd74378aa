"""JSON in and out, with limits: a body is counted before it is read, NaN becomes null."""

import json
from math import isfinite
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from rig.serve.errors import RequestError


MAX_JSON_BYTES = 1 << 16
MAX_IMAGE_BYTES = 1 << 24


def plain(value: Any) -> Any:
    """Return a value as strict JSON holds it; a number that is not finite becomes None."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not isfinite(value) else value


def to_json(value: Any) -> bytes:
    """Return a value as compact JSON; text that is not Unicode is escaped."""
    return json.dumps(plain(value), separators=(",", ":"), allow_nan=False).encode()


def reply(value: Any, status: int = 200) -> Response:
    """Return a response with a value as JSON."""
    headers = {"cache-control": "no-store"}
    return Response(to_json(value), status, headers, media_type="application/json")


def error_reply(error: RequestError) -> Response:
    """Return the response for an error."""
    known = {"code": error.code, "what": error.what, "todo": error.todo}
    return reply(known, error.status)


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request.

    Raises:
        RequestError: It is longer than ``max_bytes``; no more than that is read.
    """
    said = request.headers.get("content-length", "0")
    check_length(int(said) if said.isdecimal() else 0, max_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        check_length(len(body), max_bytes)
    return bytes(body)


def check_length(num_bytes: int, max_bytes: int) -> None:
    """Raise RequestError if a body is too long."""
    if num_bytes > max_bytes:
        raise RequestError(
            413, "too_large", f"the body is larger than {max_bytes:,} bytes", "send less"
        )


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in a request's body; an empty body is an empty object.

    Raises:
        RequestError: The body is too long, or not a JSON object.
    """
    body = await read_body(request, MAX_JSON_BYTES)
    return parse_object(body) if body else {}


def parse_object(text: bytes | str) -> dict[str, Any]:
    """Return the JSON object in a text.

    Raises:
        RequestError: It is no JSON object.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "no_json", "the body is not JSON", "send an object") from error
    if not isinstance(values, dict):
        raise RequestError(400, "no_json", "the body is not a JSON object", "send an object")
    return values


def field(values: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """Return a field of a body, of this type; an integer may stand for a float.

    Raises:
        RequestError: It is missing and has no default, or it is of another type.
    """
    value = values.get(name, default)
    if kind is float and type(value) is int and abs(value) < 1 << 53:
        value = float(value)
    is_finite = not isinstance(value, float) or isfinite(value)
    if value is None or type(value) is not kind or not is_finite:
        what = f"{name} must be a {kind.__name__}, got {str(value)[:80]!r}"
        raise RequestError(400, "bad_field", what, "see docs/page.md")
    return value
