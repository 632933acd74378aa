"""Errors a person can act on: what is wrong, what would be right, what to do.

The command line prints a :class:`RigError` as one line and exits with 2; anything else is a
bug of ours and shows its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class RigError(Exception):
    """The root of every error that rig raises on purpose."""


class ConfigError(RigError):
    """A setting is out of its range, or a key is unknown."""


class SceneError(RigError):
    """A scene file lacks something that a task names."""


class TaskError(RigError):
    """A task is unknown, or was asked for something that it does not have."""


class ExternalEnvError(RigError):
    """Someone's environment can't be found, made, driven or seen."""


class RobotError(RigError):
    """A robot or its server can't be found, refuses, or stopped."""


class EnvFailedError(ExternalEnvError):
    """Someone's environment raised an error of its own, or broke Gymnasium's rules.

    The command line keeps its traceback in a file.
    """

    log: str = ""
    """The file that has the traceback already; empty for none."""


class ImageError(RigError):
    """A file is not an image, or an array has not the camera's shape."""


class UnlikeGoalError(RigError):
    """A goal image is unlike anything that a run practised."""

    exit_code = 3


class DataSetError(RigError):
    """A file of images and true states lacks an array, or has one of another shape or type."""


class RecordingError(RigError):
    """A recording can't be read or written."""


class RunError(RigError):
    """A directory is no run, a half-written one, or would be written over."""


class SpecError(RigError):
    """A study's plan can't be read, or asks for what can't be."""


class SweepError(RigError):
    """A sweep can't go on, or ended with runs that failed."""


class NotEnoughDataError(RigError):
    """Memory holds less than what is asked of it."""


class DivergedError(RigError):
    """A number that learning rests on is not finite."""


class StoppedError(RigError):
    """A person or the system asked a run to stop; it can be gone on with."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a hint for a mistyped name: the nearest known one, or all of them."""
    names = sorted(known)
    nearest = get_close_matches(name, names, n=1)
    return f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(names)}"


def about_unknown(given: str, names: Iterable[str], command: str) -> str:
    """Return what is wrong with a word of a command line that no option takes.

    Args:
        given: The word.
        names: Of the command's options, without dashes.
        command: With its subcommand, as ``rig train``.
    """
    word = given.partition("=")[0]
    if not word.startswith("-"):
        return f"unexpected {word!r}; see {command} --help"
    near = get_close_matches(word.lstrip("-"), list(names), n=1)
    hint = f": did you mean --{near[0]}?" if near else f"; see {command} --help"
    return f"no option {word} in {command}{hint}"
