import io

import pytest
from rich.console import Console

from rig.training.progress import PlainProgress, live_progress, open_progress, shown_metrics
from rig.units import duration


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def lines_of(done_each_second, metrics):
    """The lines of a phase of 1000 steps that is at these steps, second by second."""
    lines, clock = [], Clock()
    progress = PlainProgress(lines.append, clock)
    progress.begin("train", 1000)
    for done in done_each_second:
        clock.now_s += 1
        progress.advance(done, metrics)
    progress.__exit__(None, None, None)
    return lines


def test_plain_lines_come_every_ten_seconds_and_at_the_end_of_a_phase():
    lines = lines_of(range(10, 260, 10), {})
    assert len(lines) == 3
    assert lines[-1] == "train: 250 steps in 25 s"


def test_a_line_shows_speed_time_left_and_distance():
    lines = lines_of(range(10, 110, 10), {"eval/hand_distance_m": 0.0123})
    assert lines[0] == "train: 100 of 1,000, 10 steps/s, 1 min 30 s left, hand 1.2 cm"


def test_a_line_shows_what_a_robot_does():
    lines, clock = [], Clock()
    progress = PlainProgress(lines.append, clock)
    progress.follow(lambda: f"robot goes home at {clock.now_s:.0f} s")
    progress.begin("train", 1000)
    clock.now_s += 10
    progress.advance(100, {"eval/hand_distance_m": 0.0123})
    assert lines[0].endswith("hand 1.2 cm, robot goes home at 10 s")


def test_steps_done_before_a_phase_do_not_count_as_speed():
    lines = lines_of(range(500, 600, 10), {})
    assert lines[0] == "train: 590 of 1,000, 10 steps/s, 41 s left"


def test_an_interrupted_phase_is_not_called_done():
    interrupt = KeyboardInterrupt()
    lines = []
    progress = PlainProgress(lines.append)
    progress.begin("fit", 10)
    progress.__exit__(KeyboardInterrupt, interrupt, None)
    assert lines == []


def test_standard_error_that_is_no_terminal_gets_plain_lines(capsys):
    with open_progress() as progress:
        progress.begin("fit", 10)
    assert capsys.readouterr() == ("", "fit: 0 steps in 0 s\n")


def test_live_bars_show_every_phase_and_the_latest_distance():
    stream = io.StringIO()
    with live_progress(Console(file=stream, width=120)) as progress:
        progress.begin("collect", 10)
        progress.note("a note")
        progress.begin("train", 10)
        progress.advance(10, {"eval/puck_distance_m": 0.04})
    for text in ("collect", "a note", "train", "puck 4.0 cm"):
        assert text in stream.getvalue()


def test_only_medians_of_the_policy_are_shown_and_in_their_unit():
    metrics = {
        "eval/do_nothing_hand_distance_m": 0.1,
        "eval/hand_distance_mean_m": 0.2,
        "eval/door_distance_rad": 0.1234,
    }
    assert shown_metrics(metrics) == {"eval/door_distance_rad": "door 0.123 rad"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (3840, "1 h 4 min")],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text
