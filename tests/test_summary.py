import numpy as np
import pytest

from rig.training.summary import by_num_objects, sum_up, worst_first


NAN = np.nan
DISTANCES = {
    "hand_m": np.array([0.1, 0.2, 0.3, 0.4]),
    "puck_1_m": np.array([0.01, NAN, 0.03, NAN]),
    "puck_2_m": np.array([0.05, NAN, NAN, 0.07]),
    "total_m": np.array([0.16, 0.2, 0.33, 0.47]),
}
NO_OP = {name: 10 * values for name, values in DISTANCES.items()}


def test_goals_without_an_object_do_not_count_for_it():
    figures = sum_up(DISTANCES, NO_OP)
    assert figures["puck_1_m"] == pytest.approx(
        {
            "median": 0.02,
            "mean": 0.02,
            "std": 0.01,
            "do_nothing_median": 0.2,
            "do_nothing_mean": 0.2,
        }
    )
    assert figures["hand_m"]["mean"] == pytest.approx(0.25)


def test_goals_missed_by_most_come_first_relative_to_the_no_op_policy():
    """Shares of 2.5, 0.2 and 0.6 m: 0.17, 0.08, 0.27 and 0.28; the total counts nothing."""
    assert worst_first(DISTANCES, NO_OP).tolist() == [3, 2, 0, 1]


def test_object_that_is_in_no_goal_has_no_figures():
    distances = {"hand_m": np.array([0.1]), "puck_m": np.array([NAN])}
    assert list(sum_up(distances, distances)) == ["hand_m"]


def test_figures_by_number_of_objects_are_means_over_those_in_view():
    parts = by_num_objects(DISTANCES, NO_OP)
    assert {num: part["num_episodes"] for num, part in parts.items()} == {
        "0": 1,
        "1": 2,
        "2": 1,
    }
    assert list(parts["0"]) == ["num_episodes", "hand_m"]
    assert parts["1"]["object_m"]["mean"] == pytest.approx((0.03 + 0.07) / 2)
    assert parts["2"]["object_m"]["mean"] == pytest.approx((0.01 + 0.05) / 2)
    assert parts["1"]["hand_m"]["do_nothing_mean"] == pytest.approx(3.5)


def test_no_figures_by_number_where_every_object_is_always_in_view():
    together = {name: DISTANCES[name] for name in ("hand_m", "total_m")}
    assert by_num_objects(together | {"puck_m": np.ones(4)}, NO_OP) == {}
