"""``rig robot serve CONFIG.toml``."""

import argparse

from rig.robots.read_config import read_config


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the robot's file")
    parser.add_argument(
        "--simulated-time",
        action="store_true",
        help="for simulated robots: time passes only while a client waits",
    )


def run(options: argparse.Namespace) -> None:
    """Serve until the process is asked to end."""
    from rig.robots.serve import serve

    serve(read_config(options.config), is_simulated=options.simulated_time)
