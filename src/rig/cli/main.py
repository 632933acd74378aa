"""The command line: ``rig COMMAND ...``.

Every error that a person can act on is one line on standard error and exit code 2. Anything
else is a bug of ours and shows its traceback.
"""

import os
import sys
from collections.abc import Sequence

from rig.cli.commands import overview
from rig.errors import RigError, StoppedError


WRONG_USE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
"""Exit codes, as shells have them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        run(argv)
    except StoppedError as error:
        return print_error(str(error), error.exit_code)
    except RigError as error:
        return print_error(str(error))
    except BrokenPipeError:
        discard_stdout()
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is None:
            raise
        return print_error(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        return print_error("stopped", INTERRUPTED)
    return 0


def run(argv: Sequence[str]) -> None:
    """Run a command line; return once its output is read."""
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(overview(version()))
    elif argv == ["--version"]:
        sys.stdout.write(f"rig {version()}\n")
    elif argv[0] == "robot":
        from rig.cli.robot_group import run_robot

        run_robot(argv[1:])
    else:
        from rig.cli.parse import parse

        parse(argv)(argv)
    sys.stdout.flush()


def version() -> str:
    """Return the installed version."""
    from importlib.metadata import version as version_of

    return version_of("imagined-goals")


def print_error(message: str, exit_code: int = WRONG_USE) -> int:
    """Print one line on standard error and return the exit code."""
    sys.stderr.write(f"rig: {' '.join(message.split())}\n")
    return exit_code


def discard_stdout() -> None:
    """Discard what is still in the buffer of standard output: nobody reads it any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
