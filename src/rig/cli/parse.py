"""From words to a command with its options. Every mistake is a ConfigError of one line."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, fields
from difflib import get_close_matches
from inspect import cleandoc
from itertools import pairwise
from typing import Any

import tyro

from rig.cli.commands import COMMANDS, Command, load_command
from rig.cli.train_command import Train
from rig.config import Config
from rig.errors import ConfigError, about_unknown, suggest
from rig.presets import PRESETS
from rig.runs.old_names import COMMANDS as OLD_COMMANDS
from rig.runs.old_names import SETTINGS, check_new_names
from rig.settings import flat
from rig.validation import require


NO_TYPE = re.compile(r"no type matching (?P<types>\S+) could .* \['(?P<value>.*?)'\]")
"""What tyro says of a value that is of none of the types of a choice."""
FIRST_WORDS = (*COMMANDS, "--help", "--version")
"""What may follow ``rig``."""


def parse(argv: Sequence[str]) -> Command:
    """Return the command that the command line asks for, with its options.

    Raises:
        ConfigError: A command or option is unknown, missing or out of its range.
    """
    name, *words = argv
    check_effects(words)
    if name not in COMMANDS:
        hint = f"did you mean {OLD_COMMANDS[name]!r}?" if name in OLD_COMMANDS else ""
        raise ConfigError(f"there is no command {name!r}: {hint or suggest(name, FIRST_WORDS)}")
    if name == "train":
        return parse_train(words)
    return parse_words(load_command(name), name, words)


def check_effects(words: Sequence[str]) -> None:
    """Raise ConfigError where ``--camera-effects`` is given without an effect."""
    for word, value in pairwise((*words, "--")):
        is_option = word.replace("_", "-") == "--camera-effects"
        require(
            not (is_option and value.startswith("--")),
            "--camera-effects needs an effect, such as webcam",
        )


def parse_train(words: Sequence[str]) -> Command:
    """Return the command ``train``. The defaults of its options depend on task and preset.

    These are looked for in the words first. A value of another option may look like a task, so
    the words are parsed again if that was mistaken.
    """
    check_old_options(words)
    found = Train.with_defaults(**start_of(words))
    command = parse_words(Train, "train", words, found)
    meant = Train.with_defaults(
        command.env or command.task,
        command.preset,
        is_real_robot=bool(command.robot),
    )
    return command if meant == found else parse_words(Train, "train", words, meant)


def start_of(words: Sequence[str]) -> dict[str, Any]:
    """Return the task, the preset and the like, as the words seem to say."""
    values = dict(pairwise(part for word in words for part in word.split("=", 1)))
    preset = values.get("--preset", Train.preset)
    task = words[0] if words and not words[0].startswith("-") else ""
    return {
        "task": values.get("--env", task),
        "preset": preset if preset in PRESETS else Train.preset,
        "is_real_robot": "--robot" in values,
    }


def parse_words(kind: Any, name: str, words: Sequence[str], default: Any = None) -> Any:
    """Return the command of this class that the words ask for."""
    defaults = {} if default is None else {"default": default}
    try:
        with one_line_errors(), joined_help_lines():
            command, unknown = tyro.cli(
                kind, prog=f"rig {name}", args=words, return_unknown_args=True, **defaults
            )
    except ConfigError as error:  # a mistyped option may be why another one is missing
        mistyped = [word for word in words if is_mistyped(word.partition("=")[0], kind)]
        if not mistyped:
            raise
        raise ConfigError(about_unknown(mistyped[0], names_of(kind), f"rig {name}")) from error
    if unknown:
        raise ConfigError(about_unknown(unknown[0], names_of(kind), f"rig {name}"))
    return command


def names_of(kind: Any) -> list[str]:
    """Return the names of a command's options, as ``--help`` spells them after the dashes."""
    names = list(flat(asdict(Config()))) if kind is Train else []
    names = [*names, *(entry.name for entry in fields(kind))]
    return [name.rstrip("_").replace("_", "-") for name in names]


def is_mistyped(word: str, kind: Any) -> bool:
    """Check whether a word is like an option of a command, but not quite one."""
    names, given = names_of(kind), word.removeprefix("--").replace("_", "-")
    is_option = word.startswith("--") and given not in names
    return is_option and bool(get_close_matches(given, names, n=1))


def check_old_options(words: Sequence[str]) -> None:
    """Raise ConfigError at an option, or a value of one, that is called something else now."""
    split = [part for word in words for part in word.split("=", 1)]
    for word, value in pairwise([*split, ""]):
        if not word.startswith("--"):
            continue
        key = word.removeprefix("--").replace("-", "_")
        if key in SETTINGS:
            raise ConfigError(f"{word} is now called --{SETTINGS[key].replace('_', '-')}")
        check_new_names({key: value})


def one_line_errors() -> AbstractContextManager[None]:
    """Return a context in which a mistake in the words raises a ConfigError of one line.

    The hook is not part of tyro's stable interface. Without it tyro prints a message of its
    own, and exits with 2, too.
    """
    try:
        from tyro._errors import on_parse_error
    except ImportError:
        return nullcontext()
    return on_parse_error(explain)


@contextmanager
def joined_help_lines() -> Iterator[None]:
    """Let tyro fold help texts at the terminal's width only.

    It joins the lines of a docstring unless they are indented, as all but the first one are.
    The hook is private, as the one above; without it, lines break where the source does too.
    """
    from tyro import _strings as strings

    private: Any = strings
    join = getattr(private, "remove_single_line_breaks", None)
    if join is None:
        yield
        return
    private.remove_single_line_breaks = lambda text: join(cleandoc(text))
    try:
        yield
    finally:
        private.remove_single_line_breaks = join


def explain(event: Any) -> None:
    """Raise ConfigError for the usual mistakes; tyro prints what it makes of any other."""
    more = f"see {event.prog} --help"
    if missing := getattr(event, "missing_arguments", None):
        wanted = ", ".join(label(each.arg) for each in missing)
        raise ConfigError(f"{event.prog} needs {wanted}; {more}")
    if getattr(event, "argument", None) is None:
        return
    name = label(event.argument)
    if hasattr(event, "choices"):
        raise ConfigError(about_choice(name, event.value, event.choices))
    if hasattr(event, "message"):
        if match := NO_TYPE.match(event.message):
            raise ConfigError(f"{name} must be {match['types']}, got {match['value']}; {more}")
        raise ConfigError(f"{name}: {event.message}; {more}")
    if hasattr(event, "reason"):
        value = event.offending_value
        problem = "needs a value" if value is None else f"can't take {value!r}"
        raise ConfigError(f"{name} {problem}; {more}")


def about_choice(name: str, value: str, choices: Iterable[str]) -> str:
    """Return what is wrong with a value that is none of the choices."""
    known = list(map(str, choices))
    near = get_close_matches(value, known, n=1)
    hint = f": did you mean {near[0]!r}?" if near else ""
    return f"{name} must be one of {', '.join(known)}, got {value!r}{hint}"


def label(argument: Any) -> str:
    """Return what a person calls an argument: ``--seed``, or ``RUN``."""
    if argument.is_positional():
        return str(argument.lowered.metavar)
    return max(argument.lowered.name_or_flags, key=len)
