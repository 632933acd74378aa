"""``rig robot ...``: the commands for a real arm.

They are parsed here, by argparse, since they have to run in the robot's own Python, which needs
pyzmq, NumPy and Pillow only. A subcommand is a module with ``add_options(parser)`` and
``run(options)``; ``SUBCOMMANDS`` names it.
"""

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from rig.errors import ConfigError, about_unknown, suggest
from rig.terminal import writing_stdout


SUBCOMMANDS = {
    "serve": ("rig.cli.robot_serve", "run the server that owns an arm and its camera"),
    "check": ("rig.cli.robot_check", "check everything before the first practice"),
    "arm": ("rig.cli.robot_person", "arm it: it goes home slowly, then a client may move it"),
    "hold": ("rig.cli.robot_hold", "the space bar as hold-to-run key, in a terminal"),
    "stop": ("rig.cli.robot_person", "stop it"),
    "clear": ("rig.cli.robot_person", "clear a stop, after you looked at the arm"),
    "home": ("rig.cli.robot_person", "bring it home"),
    "rest": ("rig.cli.robot_person", "bring it to its rest pose, not armed"),
}
"""Module and help of each; the module also gets the subcommand's name, as ``options.word``."""


class Robot:
    """Serve, check and use a real arm, or a simulated one, over a wire."""


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as a ConfigError."""
        raise ConfigError(f"{message}; see {self.prog} --help")


def run_robot(words: Sequence[str]) -> None:
    """Run ``rig robot WORDS``.

    Raises:
        ConfigError: A subcommand or option is unknown, missing or wrong.
    """
    if words and not words[0].startswith("-") and words[0] not in SUBCOMMANDS:
        hint = suggest(words[0], SUBCOMMANDS)
        raise ConfigError(f"there is no command {words[0]!r} in rig robot: {hint}")
    parser = Parser("rig robot", description=Robot.__doc__, allow_abbrev=False)
    choices = parser.add_subparsers(dest="word", required=True, metavar="SUBCOMMAND")
    for word, (module, text) in SUBCOMMANDS.items():
        about = f"{text[0].upper()}{text[1:]}."
        added = choices.add_parser(word, help=text, description=about, allow_abbrev=False)
        if words and words[0] == word:
            import_module(module).add_options(added)
    try:
        with writing_stdout():  # --help prints here
            options, unknown = parser.parse_known_args(words)
    except SystemExit:  # --help was printed
        return
    if unknown:
        asked = choices.choices[options.word]
        names = [name.lstrip("-") for each in asked._actions for name in each.option_strings]
        raise ConfigError(about_unknown(unknown[0], names, asked.prog))
    import_module(SUBCOMMANDS[options.word][0]).run(options)
