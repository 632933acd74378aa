import io

import pytest
from rich.console import Console

from rig.training import phase, progress
from rig.training.phase import duration
from rig.training.progress import LiveProgress, PlainProgress, open_progress, shown_metrics


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (phase, progress):
        monkeypatch.setattr(module, "perf_counter", clock)
    return clock


def collect_rollouts(shown, clock, num_seconds, latest):
    shown.begin("practise", 1000)
    for second in range(1, num_seconds + 1):
        clock.now_s += 1
        shown.advance(10 * second, latest)


def test_plain_lines_come_once_in_ten_seconds_and_at_the_end(clock):
    lines = []
    with PlainProgress(lines.append) as shown:
        collect_rollouts(shown, clock, 25, {})
    assert [line.split(":")[0] for line in lines] == ["practise"] * 3


def test_a_line_tells_speed_time_left_and_distance(clock):
    lines = []
    with PlainProgress(lines.append) as shown:
        collect_rollouts(shown, clock, 10, {"eval/hand_distance_m": 0.0123})
    assert lines[0] == "practise: 100 of 1,000, 10 steps/s, 1 min 30 s left, hand 1.2 cm"


def test_steps_done_before_a_phase_do_not_count_as_speed(clock):
    lines = []
    shown = PlainProgress(lines.append)
    shown.begin("practise", 1000)
    for second, done in enumerate([500, 510, 520]):
        clock.now_s = 11.0 * second
        shown.advance(done, {})
    assert lines[-1:] == ["practise: 520 of 1,000, 1 steps/s, 8 min 48 s left"]


def test_an_interrupted_phase_is_not_called_done():
    lines = []
    shown = PlainProgress(lines.append)
    shown.begin("fit", 10)
    shown.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert lines == []


def test_standard_error_that_is_no_terminal_gets_plain_lines(capsys):
    with open_progress() as shown:
        shown.begin("fit", 10)
    assert isinstance(shown, PlainProgress)
    assert capsys.readouterr() == ("", "fit: 0 steps in 0 s\n")


def test_live_display_names_every_phase_and_the_latest_distance():
    stream = io.StringIO()
    with LiveProgress(Console(file=stream)) as shown:
        shown.begin("collect", 10)
        shown.note("a note")
        shown.begin("practise", 10)
        shown.advance(10, {"eval/puck_distance_m": 0.04})
    for text in ("collect", "a note", "practise", "puck 4.0 cm"):
        assert text in stream.getvalue()


def test_doing_nothing_is_no_distance_to_show():
    metrics = {"eval/do_nothing_hand_distance_m": 0.1, "eval/hand_distance_mean_m": 0.2}
    assert shown_metrics(metrics) == {}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (3840, "1 h 4 min")],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text
