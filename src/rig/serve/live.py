"""The socket of a browser tab: what it asks for, and what it is sent."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from anyio.to_thread import run_sync
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rig.errors import RigError
from rig.serve.errors import RequestError
from rig.serve.goal_routes import scene_of
from rig.serve.http import field, parse_object, to_json
from rig.serve.hub import MAX_CLIENTS, TRY_AGAIN_LATER, Client, pack_frame
from rig.serve.images import jpeg
from rig.serve.rate import MAX_COMMANDS_PER_S, MAX_MESSAGES_PER_S, Rate
from rig.serve.robot_status import STOPPED
from rig.serve.run_routes import SCHEMA
from rig.serve.server_state import ServerState, Values, as_request_error, state_of


MAX_WATCHED = 16
POLICY_VIOLATION = 1008
PREVIEW_WAIT_S = 0.02


async def live(socket: WebSocket) -> None:
    """Serve one tab until it goes."""
    state = state_of(socket)
    await socket.accept()
    if len(state.hub.clients) >= MAX_CLIENTS:
        await socket.close(TRY_AGAIN_LATER)
        return
    client = Client(socket)
    state.hub.clients[client.id] = client
    sending = asyncio.create_task(client.send_all())
    greet(state, client)
    try:
        await receive_all(state, client)
    finally:
        state.hub.clients.pop(client.id, None)
        state.robot.leave(client.id)
        sending.cancel()


def greet(state: ServerState, client: Client) -> None:
    """Tell a new tab who it is and what the robot does."""
    say(client, "hello", schema=SCHEMA, version=state.version, client=client.id)
    say(client, "robot", **asdict(state.robot.status))
    for of, frame in list(state.hub.newest.items()):
        client.add_frame(of, frame)


def say(to: Client, kind: str, /, **values: object) -> None:
    """Send a message to one tab."""
    to.add(to_json({"type": kind, **values}).decode())


async def receive_all(state: ServerState, client: Client) -> None:
    """Do what a tab asks for; close it at the first message that means nothing.

    One that asks too often is closed, too. A stop is never too often.
    """
    messages, commands = Rate(MAX_MESSAGES_PER_S), Rate(MAX_COMMANDS_PER_S)
    preview = Preview(state, client)
    try:
        while True:
            text = await client.socket.receive_text()
            message = parse_object(text)
            kind = message.get("type")
            is_command = kind in COMMANDS
            if kind == "stop":
                state.robot.stop(STOPPED)
            elif messages.is_too_high() or (is_command and commands.is_too_high()):
                raise RequestError(429, "too_many", "too many messages", "reload the page")
            elif kind == "scene":
                preview.ask(message)
            else:
                action_of(kind)(state, client, message)
    except (WebSocketDisconnect, KeyError):  # KeyError: bytes in place of text
        return
    except RequestError:
        await client.socket.close(POLICY_VIOLATION)
    finally:
        preview.close()


def on_hello(state: ServerState, client: Client, message: Values) -> None:
    """Say if the page is of another version than the server."""
    if message.get("schema") != SCHEMA:
        what = "this page is of another version"
        say(client, "error", code="old_page", what=what, todo="reload the page")


def on_beat(state: ServerState, client: Client, message: Values) -> None:
    """Note that the tab is there."""
    state.robot.beat(client.id)


def on_watch(state: ServerState, client: Client, message: Values) -> None:
    """Send the rounds of a run from now on."""
    if len(client.watched) < MAX_WATCHED:
        client.watched.add(field(message, "run", str)[:12])


def on_unwatch(state: ServerState, client: Client, message: Values) -> None:
    """Send the rounds of a run no more."""
    client.watched.discard(field(message, "run", str))


ACTIONS: dict[str, Callable[[ServerState, Client, Values], None]] = {
    "hello": on_hello,
    "beat": on_beat,
    "watch": on_watch,
    "unwatch": on_unwatch,
}
COMMANDS = ("hello", "watch", "unwatch")
"""Messages of which few are ever sent. Beats and scenes come all the time."""


def action_of(kind: object) -> Callable[[ServerState, Client, Values], None]:
    """Return what a message asks for.

    Raises:
        RequestError: It is of no known type.
    """
    if not (isinstance(kind, str) and kind in ACTIONS):
        raise RequestError(400, "unknown_type", "unknown message", "reload the page")
    return ACTIONS[kind]


class Preview:
    """Draws the scene while things are dragged: the newest places win."""

    def __init__(self, state: ServerState, client: Client) -> None:
        self._state, self._client = state, client
        self._newest: Values | None = None
        self._task: asyncio.Task[None] | None = None

    def ask(self, message: Values) -> None:
        """Draw these places, unless newer ones come before it is their turn."""
        self._newest = message
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._draw_all())

    def close(self) -> None:
        """Draw no more."""
        if self._task is not None:
            self._task.cancel()

    async def _draw_all(self) -> None:
        while (message := self._newest) is not None:
            self._newest = None
            try:
                packed = await run_sync(self._draw, message)
                self._client.add_frame("scene", packed)
            except RigError as error:
                wrong = as_request_error(error)
                say(self._client, "error", code=wrong.code, what=wrong.what, todo=wrong.todo)
            await asyncio.sleep(PREVIEW_WAIT_S)

    def _draw(self, message: Values) -> bytes:
        scene = scene_of(self._state.trained(field(message, "run", str)))
        moved = scene.state_of(field(message, "things", dict, {}))
        problem = scene.problem(moved)
        head = {
            "type": "frame",
            "of": "scene",
            "format": "jpeg",
            "n": message.get("n") if isinstance(message.get("n"), int) else 0,
            "problem": problem[1] if problem else "",
            "notes": scene.notes(moved),
        }
        return pack_frame(head, jpeg(scene.draw_large(moved)))


ROUTES = [WebSocketRoute("/api/live", live)]
