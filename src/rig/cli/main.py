"""The command line: ``rig COMMAND ...``.

Every error that a person can act on is one line on standard error and exit code 2; a goal that
``rig reach --check`` finds unlike anything practised exits with 3. Anything else is a bug of
ours and shows its traceback.
"""

import atexit
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rig.cli.commands import overview
from rig.errors import EnvFailedError, RigError, StoppedError, UnlikeGoalError
from rig.terminal import (
    STDOUT,
    discard_stdout,
    open_streams,
    print_line,
    print_notice,
    writing_stdout,
)


WRONG_USE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Exit codes, as shells have them."""
LONG = ("train", "sweep", "serve", "robot")
"""Commands that may run for days."""
RARELY = (100_000, 50, 50)
"""Thresholds of the garbage collector."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    open_streams()
    atexit.register(gc.freeze)  # otherwise the interpreter looks for garbage before it ends
    try:
        with collecting_rarely(argv):
            run(argv)
    except (StoppedError, UnlikeGoalError) as error:
        return print_error(str(error), error.exit_code)
    except EnvFailedError as error:
        return about_their_error(error)
    except RigError as error:
        return print_error(str(error))
    except OSError as error:
        return about_os_error(error)
    except KeyboardInterrupt:
        return print_error("stopped", INTERRUPTED)
    return 0


@contextmanager
def collecting_rarely(argv: Sequence[str]) -> Iterator[None]:
    """Let the garbage collector run rarely in the block, unless the command may run for days.

    While libraries load and functions are traced, it takes a third of the time and finds
    nearly nothing.
    """
    before = gc.get_threshold()
    if not set(argv[:1]) & set(LONG):
        gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def run(argv: Sequence[str]) -> None:
    """Run a command line; return once its output is written."""
    if not argv or argv[0] in ("-h", "--help"):
        print_line(overview(version()))
    elif argv == ["--version"]:
        print_line(f"rig {version()}")
    elif argv[0] == "robot":
        from rig.cli.robot_group import run_robot

        run_robot(argv[1:])
    else:
        from rig.cli.parse import parse

        with writing_stdout():  # --help prints here
            command = parse(argv)
        command(argv)


def version() -> str:
    """Return the installed version."""
    from importlib.metadata import version as version_of

    return version_of("imagined-goals")


def print_error(message: str, exit_code: int = WRONG_USE) -> int:
    """Print one line on standard error and return the exit code."""
    print_notice(" ".join(message.split()))
    return exit_code


def about_their_error(error: EnvFailedError) -> int:
    """Print whose environment failed at what, and which file has the traceback."""
    if error.log or error.__cause__ is None:
        return print_error(str(error))
    from rig.runs.error_log import new_error_log

    return print_error(f"{error}; its traceback is in {new_error_log(error)}")


def about_os_error(error: OSError) -> int:
    """Print which file can't be read or written; raise the error again if it names none."""
    name = error.filename2 or error.filename  # of a copy, the second is written
    if name is None:
        raise error
    if name == STDOUT:
        discard_stdout()
        if isinstance(error, BrokenPipeError):
            return BROKEN_PIPE
    return print_error(f"{name}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
