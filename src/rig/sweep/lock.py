"""A lock on a file, which goes when its process does, however that ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


NUM_TRIES, WAIT_S = 5, 0.1
"""Whoever only looks holds it too, for less than a millisecond."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock on a file, which is made if it is not there.

    Raises:
        BlockingIOError: Another process holds it.
    """
    with path.open("w") as file:
        for left in reversed(range(NUM_TRIES)):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not left:
                    raise
                time.sleep(WAIT_S)
        yield


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock on a file."""
    if not path.is_file():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
