"""The browsers that are connected: what each is sent, and in which order.

Other threads publish; the event loop sends. Messages that must arrive wait in a short queue,
and a client that lets it fill is closed. Of frames only the newest of each kind waits, so that
a slow client delays nobody and still sees the present.
"""

import asyncio
import json
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from rig.serve.http import to_json


MAX_CLIENTS = 16
MAX_WAITING = 512
"""Messages that may wait for a client."""
TRY_AGAIN_LATER = 1013


@dataclass(eq=False)
class Client:
    """One connected browser tab."""

    socket: WebSocket
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    watched: set[str] = field(default_factory=set)
    """Runs whose rounds it watches."""
    texts: deque[str] = field(default_factory=deque)
    frames: dict[str, bytes] = field(default_factory=dict)
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    is_closing: bool = False

    def add(self, text: str) -> None:
        """Queue a message; a client with too many is closed, and nothing is kept for it."""
        if len(self.texts) >= MAX_WAITING:
            self.is_closing = True
            self.texts.clear()
            self.frames.clear()
        else:
            self.texts.append(text)
        self.is_ready.set()

    def add_frame(self, key: str, data: bytes) -> None:
        """Put a frame in place of the one of this kind that still waits."""
        self.frames[key] = data
        self.is_ready.set()

    async def send_all(self) -> None:
        """Send what is queued, until the connection ends."""
        while True:
            await self.is_ready.wait()
            self.is_ready.clear()
            if self.is_closing:
                await self.socket.close(TRY_AGAIN_LATER)
                return
            try:
                await self._send_waiting()
            except (WebSocketDisconnect, RuntimeError):  # it went while this was on its way
                return

    async def _send_waiting(self) -> None:
        while self.texts or self.frames:
            while self.texts:
                await self.socket.send_text(self.texts.popleft())
            if self.frames:
                key = next(iter(self.frames))
                await self.socket.send_bytes(self.frames.pop(key))


class Hub:
    """All clients."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.newest: dict[str, bytes] = {}
        """The newest frame of each kind, for a tab that comes later."""
        self._loop: asyncio.AbstractEventLoop | None = None

    def use_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Send from this event loop; None: send nothing any more."""
        self._loop = loop

    def watched(self) -> set[str]:
        """Return the runs whose rounds some client watches."""
        return {run for client in list(self.clients.values()) for run in client.watched}

    def publish(self, kind: str, /, **values: Any) -> None:
        """Send a message to every client, from any thread."""
        text = to_json({"type": kind, **values}).decode()
        self._call(lambda client: client.add(text))

    def publish_frame(self, of: str, data: bytes, /, **head: Any) -> None:
        """Send an image to every client, from any thread; newer ones replace it."""
        packed = pack_frame({"type": "frame", "of": of, **head}, data)
        self.newest[of] = packed
        self._call(lambda client: client.add_frame(of, packed))

    def _call(self, action: Any) -> None:
        def on_loop() -> None:
            for client in list(self.clients.values()):
                action(client)
                if client.is_closing:  # it reads nothing: the close may take seconds, too
                    self.clients.pop(client.id)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(on_loop)


def pack_frame(head: dict[str, Any], data: bytes) -> bytes:
    """Return a binary message: the length of the head, the head as JSON, the image."""
    text = to_json(head)
    return len(text).to_bytes(4, "big") + text + data


def unpack_frame(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the head and the image of a binary message."""
    end = 4 + int.from_bytes(message[:4], "big")
    return json.loads(message[4:end]), message[end:]
