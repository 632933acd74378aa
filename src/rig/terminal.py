"""Standard output and standard error, which may be closed, full, a pipe, or ASCII only.

Output that can't be written is an OSError that names the stream. Progress and notes on standard
error are worth less than the work they are about, so losing them stops nothing.
"""

import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast


STDOUT = "standard output"
"""The file name in the errors of standard output."""
CONTROL = {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}
"""Characters that end a cell or a row, and what stands for them in a cell."""


def open_streams() -> None:
    """Make standard streams that can be written to.

    Characters that a terminal does not have are written as escapes. A closed stream becomes
    ``os.devnull``; otherwise the next file that is opened would get its descriptor, and with it
    what libraries print.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
            mode = "w" if descriptor else "r"
            setattr(sys, name, open(descriptor, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def writing_stdout() -> Iterator[None]:
    """Let the block write to standard output, and write out its buffer.

    Raises:
        OSError: It can't be written; the error names standard output.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, STDOUT) from error


def print_line(text: str) -> None:
    """Print one line to standard output, without markup."""
    with writing_stdout():
        sys.stdout.write(f"{text}\n")


def print_row(cells: Sequence[str]) -> None:
    """Print one line of cells with tabs between them, for programs."""
    print_line("\t".join(cell.translate(CONTROL) for cell in cells))


def print_to_stderr(line: str) -> None:
    """Write a line on standard error, if that can be written to."""
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


class _Lossy:
    """A stream whose errors are lost, with what could not be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def lossy_stderr() -> TextIO:
    """Return standard error for what draws on it: a terminal that went away stops nothing."""
    return cast("TextIO", _Lossy(sys.stderr))


def print_notice(text: str) -> None:
    """Write a line on standard error, after the program's name."""
    print_to_stderr(f"rig: {text}")


def discard_stdout() -> None:
    """Discard what is still in the buffer of standard output: it can't be written."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
