import numpy as np
import pytest
from gymnasium.vector import VectorWrapper

from rig.config import Config
from rig.envs.task import Region
from rig.envs.tasks import find_task
from rig.errors import RunError
from rig.training.coverage import RecordCoverage, cells_of, moved, num_cells
from rig.training.make_envs import make_envs


SQUARE = Region(low=(0.0, 1.0), high=(0.06, 1.04))


class Told(VectorWrapper):
    """Worlds of Push in which the truth is what a test says."""

    def __init__(self, states):
        super().__init__(make_envs(Config(task="Push"), 2))
        self.states = iter(states)

    def reset(self, **_options):
        return {}, {"state": next(self.states)}

    def step(self, _actions):
        return {}, None, None, None, {"state": next(self.states)}


def report_of(states, coverage=None):
    coverage_envs = RecordCoverage(Told(np.asarray(states)))
    coverage_envs.reset()
    for _ in states[1:]:
        coverage_envs.step(np.zeros((2, 2)))
    coverage, metrics = coverage_envs.metrics(
        coverage_envs.empty_coverage() if coverage is None else coverage
    )
    coverage_envs.close()
    return coverage, metrics


def push(*pucks):
    """A layer of Push's states, one world for each puck."""
    return [[0.0, 0.6, *puck] for puck in pucks]


def test_cells_are_two_centimetres_wide():
    assert num_cells(SQUARE) == 6
    assert num_cells(find_task("Push").goals["puck"]) == 15 * 10


def test_a_rope_has_too_many_axes_for_a_grid():
    coverage_envs = RecordCoverage(make_envs(Config(task="Rope"), 1))
    assert len(coverage_envs.empty_coverage()) == num_cells(find_task("Rope").goals["hand"])
    coverage_envs.close()


def test_points_are_in_the_cells_that_hold_them():
    points = np.array([[0.01, 1.01], [0.01, 1.03], [0.03, 1.01], [0.06, 1.04]])
    assert cells_of(points, SQUARE).tolist() == [0, 1, 2, 5]


def test_points_outside_and_points_unknown_are_in_no_cell():
    points = np.array([[-0.01, 1.01], [0.01, 1.05], [np.nan, np.nan]])
    assert cells_of(points, SQUARE).tolist() == []


def test_what_comes_back_was_moved_all_the_same():
    there = np.array([[[0.0], [0.0]], [[0.02], [0.009]], [[0.0], [0.0]]])
    assert moved(there).tolist() == [True, False]


def test_report_counts_cells_and_the_episodes_that_moved_something():
    coverage, metrics = report_of([push((0, 0.6), (0, 0.6)), push((0, 0.6), (0.1, 0.6))])
    assert metrics["practice/puck_coverage"] == pytest.approx(2 / 150)
    assert metrics["practice/puck_moved_share"] == 0.5
    assert metrics["practice/hand_moved_share"] == 0
    assert coverage.sum() == 3


def test_cells_visited_before_stay_visited():
    before, _ = report_of([push((0, 0.6), (0.1, 0.6))])
    _, metrics = report_of([push((0, 0.6), (-0.1, 0.6))], before)
    assert metrics["practice/puck_coverage"] == pytest.approx(3 / 150)


def test_an_object_that_is_not_there_did_not_stay():
    absent = (np.nan, np.nan)
    _, metrics = report_of([push((0, 0.6), absent), push((0.1, 0.6), absent)])
    assert metrics["practice/puck_moved_share"] == 1
    _, metrics = report_of([push(absent, absent)])
    assert "practice/puck_moved_share" not in metrics


def test_cells_of_another_task_are_refused():
    with pytest.raises(RunError, match="don't fit the task"):
        report_of([push((0, 0.6), (0, 0.6))], np.zeros(3, bool))
