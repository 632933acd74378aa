"""The command line: ``rig VERB ...``.

Every error that a person can act on is one line on standard error and exit code 2; anything
else is a bug of ours and shows its traceback.
"""

import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import fields
from functools import reduce
from importlib.metadata import version
from itertools import dropwhile, pairwise, takewhile
from operator import or_
from typing import Annotated, Any

import tyro
from tyro.conf import subcommand

from rig.cli.run_commands import OTHER_VERBS, Verb
from rig.cli.train_command import Train
from rig.config import Config
from rig.errors import ConfigError, RigError, StoppedError
from rig.presets import PRESETS, find_preset


WRONG_USE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Exit codes: those that a shell gives."""
ABOUT = """Teach a robot, from camera images alone, to reach any picture.

Begin with `rig demo`, or with `rig train Reach`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Does what the command line asks; the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        run_command(argv)
    except StoppedError as error:
        return print_error(str(error), error.exit_code)
    except RigError as error:
        return print_error(str(error))
    except BrokenPipeError:
        silence_stdout()
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is None:
            raise
        return print_error(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        return print_error("stopped", INTERRUPTED)
    return 0


def run_command(argv: Sequence[str]) -> None:
    """Does what the command line asks, and waits until what it printed is read."""
    if argv == ["--version"]:
        sys.stdout.write(f"rig {version('imagined-goals')}\n")
    else:
        parse(argv)(argv)
    sys.stdout.flush()


def print_error(message: str, exit_code: int = WRONG_USE) -> int:
    """Prints one line on standard error; the exit code."""
    sys.stderr.write(f"rig: {' '.join(message.split())}\n")
    return exit_code


def silence_stdout() -> None:
    """Nobody reads standard output any more: what is still in its buffer goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parse(argv: Sequence[str]) -> Verb:
    """The verb that the command line asks for, with its options.

    The task and the preset decide the defaults of `train`, so they are looked for first; should
    the first look have been mistaken, the second knows better.

    Raises:
        ConfigError: An option is unknown, missing or out of its range.
    """
    task, preset = first_look(argv)
    verb = parse_with_defaults(argv, task, preset)
    if isinstance(verb, Train):
        meant = (verb.env or verb.task or task, verb.preset)
        if meant != (task, preset):
            return parse_with_defaults(argv, *meant)
    return verb


def first_look(argv: Sequence[str]) -> tuple[str, str]:
    """The task and the preset that the command line seems to name."""
    if not argv or argv[0] != "train":
        return Config.task, Train.preset
    words = [word for argument in argv for word in argument.split("=", 1)]
    pairs = dict(pairwise(words))
    preset = pairs.get("--preset", Train.preset)
    task = words[1] if len(words) > 1 and not words[1].startswith("-") else Config.task
    task = pairs.get("--env", task)
    return task, preset if preset in PRESETS else Train.preset


def parse_with_defaults(argv: Sequence[str], task: str, preset: str) -> Verb:
    """The verb, where `train` has the defaults of this task and preset."""
    config = find_preset(preset, task)
    settings = {entry.name: getattr(config, entry.name) for entry in fields(Config)}
    train = Train(**settings | {"preset": preset, "task": Train.task})
    verbs: list[Any] = [Annotated[Train, subcommand("train", default=train)]]
    verbs += [Annotated[kind, subcommand(name)] for name, kind in OTHER_VERBS.items()]
    heard = io.StringIO()
    try:
        with redirect_stderr(heard):
            return tyro.cli(
                reduce(or_, verbs), prog="rig", description=ABOUT, args=argv or ["-h"]
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ConfigError(first_sentence(heard.getvalue())) from stop


def first_sentence(box: str) -> str:
    """What a framed message of the parser says first, without its title and its frame.

    Where standard output is not UTF-8, the frame is drawn in ASCII; on a terminal, in colour.
    """
    lines = [line.strip("│ ") for line in re.sub(r"\x1b\[[\d;]*m", "", box).splitlines()]
    body = dropwhile(is_rule, lines[1:])
    text = " ".join(takewhile(lambda line: not is_rule(line), body))
    where = next((line for line in lines if line.endswith("--help")), "rig --help")
    return f"{text.rstrip('. ')}; see {where[where.index('rig') :]}"


def is_rule(line: str) -> bool:
    """Whether a line is nothing but a stroke across."""
    return line != "" and set(line) <= set("─-╰╯")
