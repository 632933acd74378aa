"""``rig robot arm | stop | clear | home | rest CONFIG.toml``: what a person says."""

import argparse
from pathlib import Path

from rig.errors import RobotError
from rig.robots.read_config import read_config
from rig.terminal import print_line


ARMED_MODES = ("ARMED", "MOVING", "HOLD")
"""Modes of an armed arm, as the server answers them."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the robot's file")


def run(options: argparse.Namespace) -> None:
    """Say it to the server on this machine, and print the mode after it."""
    from rig.robots.person import say, stop

    if options.word == "stop":
        print_line(stop(Path(options.config)))
        return
    answer = say(read_config(options.config), options.word)
    if options.word == "arm" and answer.split(":")[0] not in ARMED_MODES:
        raise RobotError(f"the arm is not armed; its server says {answer}")
    print_line(answer)
