"""Errors in the code of an environment: whose they are, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from rig.errors import ExternalEnvError, RigError


@contextmanager
def foreign(call: str) -> Iterator[None]:
    """Turn any error of an environment's own code into one that says where it was raised.

    Raises:
        ExternalEnvError: The code raised an error, which is the cause of this one.
    """
    try:
        yield
    except RigError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise ExternalEnvError(
            f"its own {call} failed with {type(error).__name__}: {reason}"
        ) from error


@contextmanager
def named(id_: str) -> Iterator[None]:
    """Put an environment's id before the message of an error."""
    try:
        yield
    except ExternalEnvError as error:
        if str(error).startswith(id_):
            raise
        raise ExternalEnvError(f"{id_}: {error}") from error
