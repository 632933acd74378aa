"""``rig robot arm | stop | clear | home | rest CONFIG.toml``: what a person says."""

import argparse
import time
from pathlib import Path

from rig.errors import RobotError
from rig.robots.read_config import read_config
from rig.terminal import print_line, print_notice


ARMED_MODES = ("ARMED", "MOVING", "HOLD")
"""Modes of an armed arm, as the server answers them."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the robot's file")


def run(options: argparse.Namespace) -> None:
    """Say it to the server on this machine, and print the mode after it."""
    from rig.robot_check.person import KEY_WAIT_S, LOOK_S
    from rig.robots.person import say, stop

    if options.word == "stop":
        print_line(stop(Path(options.config)))
        return
    config = read_config(options.config)
    answer = say(config, options.word)
    if options.word == "arm" and waits_for_key(answer):
        print_notice("hold the hold-to-run key (rig robot hold): the arm is armed once it is")
        end_s = time.monotonic() + KEY_WAIT_S
        while waits_for_key(answer) and time.monotonic() < end_s:
            time.sleep(LOOK_S)
            answer = say(config, options.word)
    if options.word == "arm" and answer.split(":")[0] not in ARMED_MODES:
        raise RobotError(f"the arm is not armed; its server says {answer}")
    if options.word == "home" and answer.split(":")[0] not in ARMED_MODES:
        raise RobotError(f"the arm stays, its server says {answer}: see `rig robot arm`")
    print_line(answer)


def waits_for_key(answer: str) -> bool:
    """Return whether a server would arm the arm if the hold-to-run key were held."""
    return answer.startswith("READY: ") and "hold-to-run key" in answer
