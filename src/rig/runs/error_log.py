"""Tracebacks of other people's code, kept in a file in place of the screen."""

import tempfile
import traceback
from pathlib import Path


ERROR_LOG = "error.log"
"""The file of a run that keeps the traceback of what ended it."""


def append_traceback(path: Path, error: BaseException) -> None:
    """Append an error's traceback, with those of its causes."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)) + "\n")


def new_error_log(error: BaseException) -> Path:
    """Write an error's traceback to a new file among the temporary ones; return its path."""
    with tempfile.NamedTemporaryFile(prefix="rig-error-", suffix=".log", delete=False) as file:
        path = Path(file.name)
    append_traceback(path, error)
    return path
