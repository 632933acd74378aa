"""The person's way to the server: a socket of this machine's file system, not of the network.

``rig robot arm CONFIG.toml`` and its like speak to it, and so can a program that reads a pedal
or a switch. Only here can a stop be cleared. The socket lies in a directory that nobody but the
user can enter.
"""

import os
import tempfile
from pathlib import Path

import zmq

from rig.errors import RobotError
from rig.robots.config import RobotConfig
from rig.robots.mailbox import WORDS


ANSWER_MS = 1000
MAX_WORD_BYTES = 32
MAX_PATH = 100
"""A socket's path can't be much longer."""


def person_endpoint(config: RobotConfig) -> str:
    """Return the endpoint of the person's socket, and make its directory.

    Raises:
        RobotError: The directory is another user's, or open to others.
    """
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    directory = base / f"rig-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    info = directory.stat()
    if info.st_uid != os.getuid() or info.st_mode & 0o077:
        raise RobotError(f"{directory} must be yours alone: chmod 700, or remove it")
    path = directory / f"robot-{config.wire.port}-{config.digest[:8]}"
    if len(str(path)) > MAX_PATH:
        raise RobotError(f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a short one")
    return f"ipc://{path}"


def say(config: RobotConfig, word: str) -> str:
    """Say a word to the server of a robot, and return its answer.

    Raises:
        RobotError: No server answers.
    """
    assert word in WORDS, word
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(person_endpoint(config))
        socket.send(word.encode())
        if not socket.poll(ANSWER_MS):
            raise RobotError("no server of this robot runs on this machine: rig robot serve")
        return socket.recv().decode()
    finally:
        socket.close(linger=0)
        context.term()
