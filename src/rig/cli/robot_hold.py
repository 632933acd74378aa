"""``rig robot hold CONFIG.toml``: the space bar as the hold-to-run key."""

import argparse
import select
import sys
from collections.abc import Callable, Iterable, Iterator

from rig.errors import RobotError
from rig.robots.read_config import read_config


WAIT_S = 0.1
"""Time without a key that counts as letting go; a terminal repeats a held key faster."""
QUIT = "q"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the robot's file")


def run(options: argparse.Namespace) -> None:
    """Pass the space bar on to the server until q is pressed."""
    from rig.robots.person import say

    if not sys.stdin.isatty():
        raise RobotError("rig robot hold needs a terminal: it reads the space bar")
    config = read_config(options.config)
    sys.stdout.write("hold the space bar to run; q ends; any other key stops the arm\n")
    pass_on(keys(), lambda word: say(config, word))


def pass_on(pressed: Iterable[str], say: Callable[[str], object]) -> None:
    """Say ``held`` while the space bar repeats, ``released`` after it, ``stop`` at other keys.

    Args:
        pressed: Keys, and an empty text each time that none came for ``WAIT_S``.
        say: Says a word to the server.
    """
    is_held = False
    for key in pressed:
        if key == " ":
            say("held")
        elif is_held or key not in ("", QUIT):
            say("released" if key in ("", QUIT) else "stop")
        is_held = key == " "
        if key == QUIT:
            return


def keys() -> Iterator[str]:
    """Yield the keys of the terminal as they are pressed, and an empty text while none is."""
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        while True:
            is_there, _, _ = select.select([sys.stdin], [], [], WAIT_S)
            yield sys.stdin.read(1) if is_there else ""
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
