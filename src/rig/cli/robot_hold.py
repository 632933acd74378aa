"""``rig robot hold CONFIG.toml``: the space bar as the hold-to-run key."""

import argparse
import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator

from rig.errors import ConfigError, RobotError
from rig.robots.read_config import read_config


WAIT_S = 0.1
"""Time without a key that counts as letting go; a terminal repeats a held key faster."""
QUIT = "q"
MAX_KEYS = 64


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the robot's file")


def run(options: argparse.Namespace) -> None:
    """Pass the space bar on to the server until q is pressed.

    Raises:
        ConfigError: The arm has no hold-to-run key.
        RobotError: This is no terminal, or no server answers.
    """
    from rig.robots.person import say

    if not sys.stdin.isatty():
        raise RobotError("rig robot hold needs a terminal: it reads the space bar")
    config = read_config(options.config)
    if not config.session.hold_to_run:
        raise ConfigError(
            f"{options.config} has session.hold_to_run = false: the arm moves without a key; "
            "set it to true and start the server again"
        )
    sys.stdout.write("hold the space bar to run; q ends; any other key stops the arm\n")
    pass_on(keys(), lambda word: say(config, word))


def pass_on(pressed: Iterable[str], say: Callable[[str], object]) -> None:
    """Say ``held`` while the space bar repeats, ``released`` after it, ``stop`` at other keys.

    Args:
        pressed: Keys that came together, and an empty text each time that none came for
            ``WAIT_S``.
        say: Says a word to the server.
    """
    is_held = False
    for keys in pressed:
        if set(keys) - {" ", QUIT}:
            say("stop")
        elif keys and QUIT not in keys:
            say("held")
        elif is_held:
            say("released")
        is_held = set(keys) == {" "}
        if QUIT in keys:
            return


def keys() -> Iterator[str]:
    """Yield the keys that wait in the terminal, and an empty text while there is none.

    All at once: saying a word takes longer than the repeat of a held key, and a key that stops
    must not wait behind others.
    """
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal)
        while True:
            is_there, _, _ = select.select([terminal], [], [], WAIT_S)
            read = os.read(terminal, MAX_KEYS) if is_there else b""
            if is_there and not read:  # the terminal is gone
                return
            yield read.decode(errors="replace")
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
