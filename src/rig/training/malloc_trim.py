"""The heap: what was freed goes back to the system, where the C library can be told so."""

import ctypes
import sys


def give_back() -> None:
    """Gives back what this process has freed.

    glibc keeps it, in pieces between what is still used: some 200 MB after a fit.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
