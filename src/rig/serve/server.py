"""``rig serve``: bind a port, say where the page is, serve until Ctrl-C."""

import json
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Timer

import uvicorn

from rig.errors import ConfigError, RunError
from rig.serve.access import LOOPBACK, Access, new_token
from rig.serve.app import make_app
from rig.serve.attempts import AttemptStore
from rig.serve.goals import GoalStore
from rig.serve.hub import Hub
from rig.serve.robot import Robot
from rig.serve.run_index import RunIndex
from rig.serve.server_state import ServerState
from rig.terminal import print_line


PORTS_TRIED = 20
MAX_MESSAGE_BYTES = 1 << 16
OPEN_AFTER_S = 0.5


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """How to serve."""

    roots: Sequence[Path]
    """Runs, and directories of runs."""
    host: str = "127.0.0.1"
    port: int = 8018
    """0: any free one."""
    has_token: bool = True
    is_read_only: bool = False
    allow_env: bool = False
    opens_browser: bool = True
    is_json: bool = False


def serve(options: ServeOptions) -> None:
    """Serve the page until Ctrl-C or a signal.

    Raises:
        ConfigError: The port is taken, or the options would let anyone in.
        RunError: A root is no directory.
    """
    check(options)
    with bind(options.host, options.port) as listening:
        port = listening.getsockname()[1]
        path = token_file(port)
        access = Access(token=new_token(path) if options.has_token else None, port=port)
        access.hosts.add(url_host(options.host))
        announce(options, access, path)
        server = uvicorn.Server(uvicorn_config(make_app(make_state(options), access)))
        try:
            server.run(sockets=[listening])
        except KeyboardInterrupt:  # the robot was stopped when the server shut down
            return
        finally:
            if options.has_token:
                path.unlink(missing_ok=True)


def check(options: ServeOptions) -> None:
    """Raise unless the options are safe and the roots are there."""
    is_local = url_host(options.host) in LOOPBACK
    if not (is_local or options.has_token):
        raise ConfigError(
            f"--no-token with --host {options.host} would let the whole network move the "
            "robot: leave out --no-token"
        )
    for root in options.roots:
        if not root.is_dir():
            raise RunError(f"{root} is not a directory: give a run, or one that has runs")


def make_state(options: ServeOptions) -> ServerState:
    """Return the state of a server that begins."""
    hub, attempts = Hub(), AttemptStore()
    index = RunIndex(
        options.roots, is_read_only=options.is_read_only, allow_env=options.allow_env
    )
    index.refresh()
    return ServerState(
        index=index,
        hub=hub,
        robot=Robot(hub, attempts),
        goals=GoalStore(),
        attempts=attempts,
        version=version("imagined-goals"),
        is_read_only=options.is_read_only,
    )


def uvicorn_config(app: object) -> uvicorn.Config:
    """Return the server's settings: small limits, and no log of requests."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # images are compressed already
        ws_ping_interval=5,
        ws_ping_timeout=5,
        h11_max_incomplete_event_size=16_384,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
        access_log=False,
        server_header=False,
        log_level="warning",
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens: at the port, or the next free one.

    Raises:
        ConfigError: All are taken, or the host is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last: OSError | None = None
    for tried in range(port, port + (PORTS_TRIED if port else 1)):
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, tried))
            found.listen(128)
            return found
        except (OSError, OverflowError) as error:
            found.close()
            last = error if isinstance(error, OSError) else None
    raise ConfigError(f"{host} port {port} can't be served ({last}): choose another --port")


def announce(options: ServeOptions, access: Access, path: Path) -> None:
    """Say where the page is, on one line, and open it."""
    query = f"?token={access.token}" if access.token else ""
    url = f"http://{url_host(options.host)}:{access.port}/{query}"
    if options.is_json:
        token_path = str(path) if access.token else None
        line = json.dumps({"url": url, "token_file": token_path, "pid": os.getpid()})
    else:
        line = f"{url}    (Ctrl-C ends it)"
        if options.port and access.port != options.port:
            line = f"port {options.port} is taken: {line}"
    print_line(line)
    has_display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if options.opens_browser and (has_display or sys.platform == "darwin"):
        opener = Timer(OPEN_AFTER_S, open_page, [url])
        opener.daemon = True
        opener.start()


def open_page(url: str) -> None:
    """Open the page in a browser, if there is one."""
    with suppress(webbrowser.Error):
        webbrowser.open(url)


def url_host(host: str) -> str:
    """Return a host as it is in an address."""
    return f"[{host}]" if ":" in host else host


def token_file(port: int) -> Path:
    """Return the file that holds the token of the server on a port."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "rig" / f"token-{port}"
