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
    parser.add_argument(
        "--usual-priority",
        action="store_true",
        help="don't ask for real-time scheduling",
    )


def run(options: argparse.Namespace) -> None:
    """Serve until the process is asked to end."""
    from rig.robots.serve import serve

    config = read_config(options.config)
    serve(
        config,
        is_simulated=options.simulated_time,
        wants_priority=not options.usual_priority,
    )
