import numpy as np
import pytest
from benchmarks import nearness

from rig.envs.tabletop import Tabletop
from rig.envs.tasks import REACH
from rig.presets import find_preset


def test_rank_correlation_is_1_in_the_same_order_and_minus_1_in_reverse():
    rows = np.array([[1.0, 5.0, 2.0]])
    assert nearness.rank_correlation(rows, rows**3) == pytest.approx(1)
    assert nearness.rank_correlation(rows, -rows) == pytest.approx(-1)


def test_nearer_places_seem_nearer(rng, monkeypatch, measured):
    """Where a place is that of a few pixels it jumps between them: 0.4 (a sharpness of 100)."""
    monkeypatch.setattr(nearness, "NUM_GOALS", 10)
    images = Tabletop(REACH, 1).goal_images(REACH.sample_states(400, rng=rng))
    space = nearness.space_of(images, find_preset("fast", "Reach"), rng=rng)
    measured("correlation", nearness.nearness(REACH, space, rng=rng)["hand"], above=0.55)


def test_every_task_has_a_row_and_every_thing_a_number(tiny_keypoints, monkeypatch, capsys):
    monkeypatch.setattr(nearness, "find_preset", lambda _name, _task: tiny_keypoints)
    for name, value in (("TASKS", ("Reach", "Push")), ("NUM_GOALS", 2), ("NUM_NEAR", 3)):
        monkeypatch.setattr(nearness, name, value)
    nearness.main()
    rows = [
        line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if "|" in line
    ]
    told = {name.strip(): [number.strip() for number in numbers] for name, *numbers in rows}
    assert told["task"] == ["hand", "puck"]
    assert [abs(float(number)) <= 1 for number in told["Push"]] == [True, True]
    assert abs(float(told["Reach"][0])) <= 1
    assert told["Reach"][1] == ""
