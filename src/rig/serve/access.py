"""Who may use the page: who has its token, from the page itself, by a name that it knows.

Loopback is shared by all accounts of a machine, and every web page that a browser shows can
send requests to it. So each request needs the token, a ``Host`` that is ours (DNS rebinding),
and no sign of another site (``Origin``, ``Sec-Fetch-Site``); WebSockets need the same.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from rig.serve.errors import RequestError
from rig.serve.http import MAX_IMAGE_BYTES, check_length, error_reply


Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE_METHODS = {"GET", "HEAD"}
SAME_SITE = {"same-origin", "none"}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}
STOP_PATH = "/api/robot/stop"
MAX_REQUESTS = 64
"""Requests that are answered at once. A stop is always answered."""
SINGLE = (b"host", b"origin", b"authorization", b"content-length")
"""Headers that must not come twice: two readers could choose differently."""


@dataclass(kw_only=True)
class Access:
    """What a request must show."""

    token: str | None
    """None: no token is asked for."""
    port: int
    """Names the cookie: cookies of one host are sent to all its ports."""
    hosts: set[str] = field(default_factory=lambda: set(LOOPBACK))
    """Names in ``Host`` that are ours, without port."""

    @property
    def cookie(self) -> str:
        """Return the name of the cookie that holds the token."""
        return f"rig_{self.port}"

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token, in constant time."""
        return self.token is None or hmac.compare_digest(text.encode(), self.token.encode())


class Guard:
    """Lets a request through, or refuses it, and adds the headers of every response."""

    def __init__(self, app: App, access: Access) -> None:
        self._app = app
        self._access = access
        self._num_requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None:
            await self._answer(scope, receive, with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refused(scope, receive, with_headers(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, unless there are too many; a socket is none, and has its limit."""
        if scope["type"] == "websocket" or scope["path"] == STOP_PATH:
            await self._app(scope, receive, send)
            return
        if self._num_requests >= MAX_REQUESTS:
            error = RequestError(503, "too_many", "too many requests wait", "try again")
            await error_reply(error)(scope, receive, send)
            return
        self._num_requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._num_requests -= 1

    def _refusal(self, scope: Scope) -> Response | None:
        try:
            headers = single_headers(scope)
            self._check_host(headers)
            self._check_site(scope, headers)
            check_length(int_or_zero(headers.get("content-length")), MAX_IMAGE_BYTES)
            return self._check_token(scope, headers)
        except RequestError as error:
            return error_reply(error)

    def _check_host(self, headers: dict[str, str]) -> None:
        name = headers.get("host", "")
        if name.rpartition(":")[2].isdecimal():
            name = name.rpartition(":")[0]
        if name.lower() not in self._access.hosts:
            raise RequestError(
                400, "bad_host", "this is not the name of rig serve", "give --host NAME"
            )

    def _check_site(self, scope: Scope, headers: dict[str, str]) -> None:
        is_unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        is_api = scope["path"].startswith("/api")
        site, origin = headers.get("sec-fetch-site", "none"), headers.get("origin")
        is_foreign = origin is not None and origin != f"http://{headers['host']}"
        if (is_unsafe and is_foreign) or ((is_unsafe or is_api) and site not in SAME_SITE):
            raise RequestError(
                403, "other_site", "the request comes from another site", "use the page itself"
            )

    def _check_token(self, scope: Scope, headers: dict[str, str]) -> Response | None:
        access, path = self._access, scope["path"]
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["type"] == "http" and path == "/" and given and access.is_token(given):
            return self._welcome()
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if access.is_token(cookie_in(headers, access.cookie)) or access.is_token(bearer):
            return None
        if path.startswith("/api") or scope["type"] == "websocket":
            raise RequestError(
                401, "no_token", "the token is missing or old", "open the printed address"
            )
        text = "This page needs its token: open the address that `rig serve` printed.\n"
        return PlainTextResponse(text, 401)

    def _welcome(self) -> Response:
        """Keep the token in a cookie, and take it out of the address bar."""
        response = RedirectResponse("/", 303)
        response.set_cookie(
            self._access.cookie, self._access.token or "", httponly=True, samesite="strict"
        )
        return response


def single_headers(scope: Scope) -> dict[str, str]:
    """Return the headers by name.

    Raises:
        RequestError: One that must be single comes twice.
    """
    names = [name for name, _ in scope["headers"]]
    if any(names.count(name) > 1 for name in SINGLE):
        raise RequestError(400, "double_header", "a header comes twice", "send it once")
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def cookie_in(headers: dict[str, str], name: str) -> str:
    """Return the value of a cookie; empty if there is none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def int_or_zero(text: str | None) -> int:
    """Return the number that a header holds, or 0."""
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0


def with_headers(send: Send) -> Send:
    """Return ``send`` with the headers of every response added."""

    async def send_with(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = [(key.encode(), value.encode()) for key, value in HEADERS.items()]
            message["headers"] = [*message.get("headers", []), *known]
        await send(message)

    return send_with


def new_token(path: Path) -> str:
    """Return a new token, and keep it in a file that only this account can read."""
    token = secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(token)
    return token
