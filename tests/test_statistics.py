import numpy as np
import pytest

from rig.compare.statistics import (
    bootstrap,
    interquartile_mean,
    iqm_over_tasks,
    probability_of_improvement,
)


def test_interquartile_mean_by_hand():
    assert interquartile_mean(np.array([100.0, 1.0, 2.0, 3.0, -50.0])) == 2.0
    assert interquartile_mean(np.array([9.0, 1.0, 2.0])) == 4.0
    assert interquartile_mean(np.array([8.0, 2.0, 3.0, 5.0, 0.0, 9.0, 4.0, 1.0])) == 3.5
    np.testing.assert_array_equal(
        interquartile_mean(np.array([[0.0, 1.0, 2.0, 9.0], [4.0, 4.0, 4.0, 4.0]])), [1.5, 4.0]
    )


def test_a_nan_is_not_trimmed_away(rng):
    scores = np.array([[1.0, 2.0, 3.0, 4.0, np.nan], [1.0, 2.0, 3.0, 4.0, 5.0]])
    np.testing.assert_array_equal(interquartile_mean(scores), [np.nan, 3.0])
    for ours, theirs in ([0, 1], [1, 0], [0, 0]):
        pair = scores[ours], scores[theirs]
        assert np.isnan(probability_of_improvement(*pair))
        assert np.isnan(bootstrap(probability_of_improvement, *pair, rng=rng)).all()


def test_probability_of_improvement_by_hand():
    ours, theirs = np.array([1.0, 2.0]), np.array([2.0, 3.0, 0.0])
    assert probability_of_improvement(ours, theirs) == pytest.approx((2 + 1.5) / 6)
    assert probability_of_improvement(ours, ours) == 0.5


def test_each_task_counts_once_and_is_resampled_by_itself(rng):
    """A task of five runs comes to 2, one of two to 10, which resampled is 8, 10 or 12."""
    tasks = [np.array([100.0, 1.0, 2.0, 3.0, -50.0]), np.array([8.0, 12.0])]
    assert iqm_over_tasks(*tasks) == (2 + 10) / 2
    low, high = bootstrap(iqm_over_tasks, np.full(5, 3.0), tasks[1], rng=rng)
    assert (low, high) == ((3 + 8) / 2, (3 + 12) / 2)


def test_equal_runs_and_single_runs_have_no_interval(rng):
    for runs in (np.full(5, 3.0), np.array([3.0])):
        assert bootstrap(iqm_over_tasks, runs, rng=rng) == (3.0, 3.0)


def test_improvement_is_certain_where_every_run_is_nearer(rng):
    ours, theirs = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    for pair, expected in (((ours, theirs), 1.0), ((theirs, ours), 0.0)):
        assert probability_of_improvement(*pair) == expected
        ends = bootstrap(probability_of_improvement, *pair, rng=rng)
        assert ends == (expected, expected)


@pytest.mark.filterwarnings("ignore")
def test_numbers_are_those_of_rliable(rng):
    rly = pytest.importorskip("rliable.library", reason="not installed")
    metrics = pytest.importorskip("rliable.metrics")
    ours, theirs = rng.normal(2, 1, 10), rng.normal(2.5, 1, 10)
    points, intervals = rly.get_interval_estimates(
        {"iqm": ours[:, None]},
        metrics.aggregate_iqm,
        reps=2000,
        random_state=np.random.RandomState(0),
    )
    assert iqm_over_tasks(ours) == pytest.approx(points["iqm"])
    ends = bootstrap(iqm_over_tasks, ours, rng=rng)
    assert ends == pytest.approx(intervals["iqm"].ravel(), abs=0.05)

    # Theirs counts higher scores as better.
    points, intervals = rly.get_interval_estimates(
        {"p": (-ours[:, None], -theirs[:, None])},
        metrics.probability_of_improvement,
        reps=200,
        random_state=np.random.RandomState(0),
    )
    assert probability_of_improvement(ours, theirs) == pytest.approx(points["p"])
    ends = bootstrap(probability_of_improvement, ours, theirs, rng=rng)
    assert ends == pytest.approx(intervals["p"].ravel(), abs=0.06)
