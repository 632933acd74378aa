"""The person's way to the server: a socket of this machine's file system, not of the network.

``rig robot arm CONFIG.toml`` and its like speak to it, and so can a program that reads a pedal
or a switch. Only here can a stop be cleared. The socket lies in a directory that nobody but the
user can enter. Its name does not depend on what the file says but for the port, so that a stop
reaches the server after the file was edited.
"""

import fcntl
import os
import tempfile
import time
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

import zmq

from rig.errors import RobotError
from rig.robots.clock import SystemClock
from rig.robots.config import RobotConfig, WireConfig
from rig.robots.mailbox import WORDS


OTHER_FILE = " (it runs with another content of this file)"
"""What a server says besides where the person's file is not the one that it read."""
MOST_SOCKETS = 100
"""As many sockets are asked, the newest: servers that were killed leave theirs."""
ANSWER_MS = 2000
"""How long a person's word waits for its answer."""
OBEYED_S = 1.0
"""How old a word may be that the server obeys: far less than its answer is waited for."""
MAX_PATH = 100
"""A socket's path can't be much longer."""


def directories() -> list[Path]:
    """Return where this user's servers may have their sockets; a new one takes the first.

    A service, a login and a desktop have not the same environment.
    """
    bases = (
        os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), f"/run/user/{os.getuid()}",
    )  # fmt: skip
    return [Path(base) / f"rig-{os.getuid()}" for base in dict.fromkeys(filter(None, bases))]


def is_private(directory: Path) -> bool:
    """Return whether a directory is this user's, and nobody else can enter it."""
    info = directory.stat()
    return info.st_uid == os.getuid() and not info.st_mode & 0o077


def socket_name(port: int, file: str) -> str:
    """Return the name of a server's socket; a server at any free port goes by its file."""
    return f"robot-{port}" if port else f"robot-0-{sha256(os.fsencode(file)).hexdigest()[:8]}"


def socket_path(name: str) -> Path:
    """Return the path of a socket of this user, and make its directory.

    Raises:
        RobotError: No directory can be made, or the first that can is another user's, or open
            to others.
    """
    path = new_directory() / name
    if len(str(path)) > MAX_PATH:
        raise RobotError(f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a short one")
    return path


def new_directory() -> Path:
    """Return the first directory of :func:`directories` that is there, or can be made.

    Raises:
        RobotError: There is none, or it is another user's, or open to others.
    """
    for directory in directories():
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            is_mine = is_private(directory)
        except OSError:  # as root's, after `su`
            continue
        if not is_mine:
            raise RobotError(f"{directory} must be yours alone: chmod 700, or remove it")
        return directory
    raise RobotError("no directory for a socket can be made: set XDG_RUNTIME_DIR to one")


def sockets() -> list[Path]:
    """Return the sockets of this user's servers, newest first; killed ones left some too."""
    found: list[Path] = []
    for directory in directories():
        with suppress(OSError):
            if directory.is_dir() and is_private(directory):
                found += [path for path in directory.glob("robot-*") if path.is_socket()]
    return sorted(found, key=made_s, reverse=True)[:MOST_SOCKETS]


def made_s(path: Path) -> float:
    """Return when a file was made, by the wall clock; 0 if it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def claim(config: RobotConfig) -> tuple[str, IO[bytes]]:
    """Return the endpoint that a server listens at, and a lock to keep while it does.

    A socket's path can be bound twice, and then the first server would hear no stop any more.

    Raises:
        RobotError: Another server has it.
    """
    path = socket_path(socket_name(config.wire.port, config.file))
    lock = path.with_suffix(".lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise RobotError(f"a server of yours has {path}: end it first") from error
    return f"ipc://{path}", lock


def say(config: RobotConfig, word: str) -> str:
    """Say a word to the server of a robot, and return its answer.

    Raises:
        RobotError: No server answers.
    """
    assert word in WORDS, word
    name = socket_name(config.wire.port, config.file)
    paths = [path for path in sockets() if path.name == name]
    said_s = repr(SystemClock().now_s())
    answers = ask(paths, word, config.digest, said_s, num_answers=1)
    if not answers:
        raise RobotError("no server of this robot runs on this machine: rig robot serve")
    return next(iter(answers.values()))


def is_late(said_s: str) -> bool:
    """Return whether a word was said too long ago, by the machine's clock, or nobody knows."""
    try:
        return not 0 <= SystemClock().now_s() - float(said_s) <= OBEYED_S
    except ValueError:
        return True


def stop(file: Path) -> str:
    """Stop the server of a file, whatever else the file says, and return its answer.

    It stops every server of this user on this machine if the file names no port, if no server
    answers, or if the server that answers read another content: better too many than too few.

    Raises:
        RobotError: No server answers at all.
    """
    name = name_in(file)
    found = sockets()
    about = (digest_of(file), repr(SystemClock().now_s()), str(file.resolve()))
    named = ask([path for path in found if path.name == name], "stop", *about)
    if named and not any(answer.endswith(OTHER_FILE) for answer in named.values()):
        return "; ".join(named.values())
    why = f"{file} names no port" if name is None else f"no server answers for {file}"
    if named:
        why = f"{file} is not what its server read"
    answers = ask(found, "stop")
    if not answers:
        raise RobotError(f"{why}, and no other of yours on this machine: use the arm's switch")
    said = "; ".join(f"{path.name} {answer}" for path, answer in sorted(answers.items()))
    return f"{why}: every server of yours on this machine was stopped: {said}"


def digest_of(file: Path) -> str:
    """Return the digest of a file's content; of none if it can't be read."""
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError:
        return sha256().hexdigest()


def name_in(file: Path) -> str | None:
    """Return the name of the socket of a file's server; None if the file names no port."""
    try:
        tables = tomllib.loads(file.read_bytes().decode())
        port = tables.get("wire", {}).get("port", WireConfig.port)
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    return socket_name(port, str(file.resolve())) if type(port) is int else None


def ask(paths: Sequence[Path], *frames: str, num_answers: int | None = None) -> dict[Path, str]:
    """Say something to servers, and return what those answer that do so soon enough.

    Args:
        paths: The servers' sockets.
        frames: What is said.
        num_answers: Wait for no more answers than these; None: for one of each.
    """
    wanted = len(paths) if num_answers is None else min(num_answers, len(paths))
    context, poller = zmq.Context(), zmq.Poller()
    waiting: dict[zmq.Socket[bytes], Path] = {}
    answers: dict[Path, str] = {}
    try:
        for path in paths:
            socket = context.socket(zmq.DEALER)
            waiting[socket] = path
            socket.connect(f"ipc://{path}")
            socket.send_multipart([frame.encode() for frame in frames])
            poller.register(socket, zmq.POLLIN)
        end_s = time.monotonic() + ANSWER_MS / 1000
        while len(answers) < wanted and (left_s := end_s - time.monotonic()) > 0:
            for socket, _ in poller.poll(1 + int(1000 * left_s)):
                poller.unregister(socket)
                answers[waiting.pop(socket)] = socket.recv().decode(errors="replace")
                socket.close(linger=0)
        return answers
    finally:
        context.destroy(linger=0)
