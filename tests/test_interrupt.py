"""Signals: a request, never an exception in the middle of somebody else's code."""

import gc
import os
import signal
import subprocess
import sys
import time

import pytest

from rig.errors import StoppedError
from rig.runs.interrupt import Interrupt, uninterrupted


@pytest.fixture
def said():
    return []


@pytest.fixture
def interrupt(said):
    with Interrupt(said.append, "resume with X") as entered:
        yield entered


def test_signal_inside_a_callback_that_loses_exceptions_is_not_lost(interrupt):
    """As inside JAX's callback at a garbage collection."""

    def callback(_phase, _info):
        signal.raise_signal(signal.SIGINT)

    gc.callbacks.append(callback)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(callback)
    with pytest.raises(StoppedError, match="stopped by SIGINT; resume with X") as caught:
        interrupt.check()
    assert caught.value.exit_code == 130


def test_first_signal_in_a_deferred_block_stops_at_its_end(interrupt, said):
    def block():
        with interrupt.deferred():
            signal.raise_signal(signal.SIGTERM)
            interrupt.check()
            said.append("the block went on")

    with pytest.raises(StoppedError, match="SIGTERM") as caught:
        block()
    assert caught.value.exit_code == 143
    assert said == ["stopping after this round; once more to stop at once", "the block went on"]


def test_second_signal_stops_where_it_is_safe_next(interrupt, said):
    def block():
        with interrupt.deferred():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            said.append("still running")
            interrupt.check()
            said.append("too late")

    with pytest.raises(StoppedError):
        block()
    assert said[-1] == "still running"


def test_signal_before_a_deferred_block_stops_before_it(interrupt, said):
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(StoppedError), interrupt.deferred():
        said.append("began")
    assert said == []


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt(lambda _: None, "", may_exit=True):
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_uninterrupted_never_stops():
    with uninterrupted().deferred():
        uninterrupted().check()


STUCK = """
import ctypes, signal, sys
from rig.runs import interrupt
interrupt.EXIT_AFTER_S = {exit_after_s}
with interrupt.Interrupt(print, "resume with X", may_exit=True) as entered:
    print("ready", flush=True)
    ctypes.CDLL(None).{block}
    while True:
        entered.check()
"""


def run_stuck(block, exit_after_s=0.2):
    """Return the exit code, the error and the seconds of a process that Ctrl-C reaches."""
    code = STUCK.format(block=block, exit_after_s=exit_after_s)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    start_s = time.perf_counter()
    _, error = process.communicate(timeout=60)
    return process.returncode, error, time.perf_counter() - start_s


RESTARTED_SLEEP = "usleep.restype; [ctypes.CDLL(None).usleep(20000) for _ in range(1500)]"


def test_library_that_does_not_return_is_left_once_the_command_line_waits_too_long():
    """The library sleeps again whenever a signal wakes it, as a compiler works on."""
    code, error, took_s = run_stuck(RESTARTED_SLEEP)
    assert (code, error.strip()) == (130, "rig: stopped by SIGINT; resume with X")
    assert took_s < 20


def test_run_that_stops_by_itself_in_time_is_not_ended(monkeypatch):
    monkeypatch.setattr("rig.runs.interrupt.EXIT_AFTER_S", 0.2)

    def until_stopped():
        with Interrupt(print, "", may_exit=True) as interrupt:
            signal.raise_signal(signal.SIGINT)
            while True:
                interrupt.check()
                time.sleep(0.01)

    with pytest.raises(StoppedError):
        until_stopped()
    time.sleep(0.3)
