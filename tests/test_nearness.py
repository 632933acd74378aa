import numpy as np
import pytest
from benchmarks import nearness


def test_rank_correlation_is_1_in_the_same_order_and_minus_1_in_reverse():
    rows = np.array([[1.0, 5.0, 2.0]])
    assert nearness.rank_correlation(rows, rows**3) == pytest.approx(1)
    assert nearness.rank_correlation(rows, -rows) == pytest.approx(-1)


@pytest.mark.slow
@pytest.mark.ci
def test_every_task_has_a_row_and_every_object_a_number(tiny_keypoints, monkeypatch, capsys):
    monkeypatch.setattr(nearness, "find_preset", lambda _name, _task: tiny_keypoints)
    for name, value in (("TASKS", ("Reach", "Push")), ("NUM_GOALS", 2), ("NUM_NEAR", 3)):
        monkeypatch.setattr(nearness, name, value)
    nearness.main()
    rows = [
        line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if "|" in line
    ]
    table = {name.strip(): [number.strip() for number in numbers] for name, *numbers in rows}
    assert table["task"] == ["hand", "puck"]
    assert [abs(float(number)) <= 1 for number in table["Push"]] == [True, True]
    assert abs(float(table["Reach"][0])) <= 1
    assert table["Reach"][1] == ""
