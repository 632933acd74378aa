"""The space bar as hold-to-run key, on a terminal of its own."""

import os
import pty
import sys
import time

import pytest

from rig.cli.robot_hold import keys, pass_on


@pytest.fixture
def keyboard(monkeypatch):
    near, far = pty.openpty()
    with os.fdopen(far, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield near
    os.close(near)


def test_a_key_that_stops_is_not_lost_behind_a_held_one(keyboard):
    words = []

    def say(word):
        words.append(word)
        if len(words) == 2:  # while a word is said, more keys come than one
            os.write(keyboard, b"   x")
        elif len(words) == 3:
            os.write(keyboard, b"q")
        else:
            os.write(keyboard, b" ")
        time.sleep(0.02)

    def pressed():
        for index, each in zip(range(20), keys(), strict=False):
            if index == 0:  # what was typed before the terminal was ready is dropped
                os.write(keyboard, b" ")
            yield each

    pass_on(pressed(), say)
    assert words == ["held", "held", "stop"]


@pytest.mark.parametrize(
    ("pressed", "words"),
    [
        (["  ", "", ""], ["held", "released"]),
        ([" ", " q", " "], ["held", "released"]),
        ([" x ", ""], ["stop"]),
        (["xq", " "], ["stop"]),
        ([" ", "\x1b[A"], ["held", "stop"]),
        (["q", " "], []),
    ],
)
def test_keys_that_came_together_count_by_the_safest(pressed, words):
    said = []
    pass_on(pressed, said.append)
    assert said == words
