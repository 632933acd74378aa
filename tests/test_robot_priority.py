"""How soon the guard gets the processor: what it asks the system for."""

import os
import platform
import threading

import pytest

from rig.robots import serve
from rig.robots.priority import SCHED_SETATTR, TURN_NS, ask_for_short_turns


IS_LINUX = platform.system() == "Linux" and platform.machine() in SCHED_SETATTR


def in_thread(function):
    """Return what a function returns in a thread of its own: scheduling is a thread's."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.skipif(not IS_LINUX, reason="a system call of Linux")
def test_short_turns_need_no_right_and_change_nothing_else():
    def ask():
        before = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
        is_taken = ask_for_short_turns()
        return is_taken, before == (
            os.sched_getscheduler(0),
            os.getpriority(os.PRIO_PROCESS, 0),
        )

    assert in_thread(ask) == (True, True)


@pytest.mark.skipif(
    not IS_LINUX or tuple(map(int, platform.release().split(".")[:2])) < (6, 12),
    reason="Linux gives short turns since 6.12",
)
def test_turns_are_as_short_as_asked_for():
    def turn_ns():
        ask_for_short_turns()
        try:
            with open("/proc/thread-self/sched") as file:
                lines = [line for line in file if line.startswith("se.slice")]
        except OSError:
            return None
        return int(lines[0].split(":")[1]) if lines else None

    seen_ns = in_thread(turn_ns)
    if seen_ns is None:
        pytest.skip("this system does not tell")
    assert seen_ns == TURN_NS


@pytest.mark.parametrize("is_allowed", [True, False])
def test_short_turns_are_asked_for_only_without_real_time(monkeypatch, capsys, is_allowed):
    asked = []
    monkeypatch.setattr(serve, "ask_for_priority", lambda: is_allowed)
    monkeypatch.setattr(serve, "ask_for_short_turns", lambda: asked.append(1))
    serve.ask_for_the_processor(wants_priority=True)
    assert len(asked) == (not is_allowed)
    assert ("no real-time" in capsys.readouterr().err) != is_allowed
    serve.ask_for_the_processor(wants_priority=False)
    assert len(asked) == 1 + (not is_allowed)
