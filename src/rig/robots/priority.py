"""How soon the guard gets the processor when others want it, too.

Real-time scheduling, where this user may have it. If not, short turns: since Linux 6.12 a
thread may ask for turns shorter than those of others, which needs no right. It gets no more of
the processor, but gets it sooner (Zijlstra 2023, EEVDF; sched_setattr(2)).
"""

import ctypes
import os
import platform
import struct


PRIORITY = 50
TURN_NS = 100_000
"""The shortest turn that Linux gives."""
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
"""Number of the system call; Python has no function for it."""


def ask_for_priority() -> bool:
    """Ask for real-time scheduling of this thread; return whether it has it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (AttributeError, OSError):
        return False
    return True


def ask_for_short_turns() -> bool:
    """Ask for short turns of this thread at its usual priority; return whether it has them.

    An older Linux takes the wish and ignores it.
    """
    number = SCHED_SETATTR.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_OTHER, 0, nice, 0, TURN_NS, 0, 0)
    return ctypes.CDLL(None).syscall(number, 0, attributes, 0) == 0
