"""``rig robot arm | stop | clear | home | rest CONFIG.toml``: what a person says."""

import argparse
from pathlib import Path

from rig.robots.read_config import read_config
from rig.terminal import print_line


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the robot's file")


def run(options: argparse.Namespace) -> None:
    """Say it to the server on this machine, and print the mode after it."""
    from rig.robots.person import say, stop

    if options.word == "stop":
        print_line(stop(Path(options.config)))
    else:
        print_line(say(read_config(options.config), options.word))
