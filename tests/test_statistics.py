import numpy as np
import pytest

from rig.compare.statistics import (
    better_share,
    interquartile_mean,
    interval,
    iqm_and_interval,
    probability_of_improvement,
    resampled,
)


def test_interquartile_mean_by_hand():
    assert interquartile_mean(np.array([100.0, 1.0, 2.0, 3.0, -50.0])) == 2.0
    assert interquartile_mean(np.array([9.0, 1.0, 2.0])) == 4.0
    assert interquartile_mean(np.array([8.0, 2.0, 3.0, 5.0, 0.0, 9.0, 4.0, 1.0])) == 3.5
    np.testing.assert_array_equal(
        interquartile_mean(np.array([[0.0, 1.0, 2.0, 9.0], [4.0, 4.0, 4.0, 4.0]])), [1.5, 4.0]
    )


def test_a_score_that_is_no_number_is_not_trimmed_away():
    scores = np.array([[1.0, 2.0, 3.0, 4.0, np.nan], [1.0, 2.0, 3.0, 4.0, 5.0]])
    np.testing.assert_array_equal(interquartile_mean(scores), [np.nan, 3.0])
    for ours, theirs in ([0, 1], [1, 0], [0, 0]):
        assert np.isnan(better_share(scores[ours], scores[theirs]))


def test_share_of_better_pairs_by_hand():
    ours, theirs = np.array([1.0, 2.0]), np.array([2.0, 3.0, 0.0])
    assert better_share(ours, theirs) == pytest.approx((2 + 1.5) / 6)
    assert better_share(ours, ours) == 0.5


def test_interval_leaves_out_a_fortieth_at_each_end():
    assert interval(np.arange(41.0)) == (1.0, 39.0)


def test_runs_are_drawn_within_their_task(rng):
    tens, hundreds = resampled([np.array([1.0, 2.0]), np.array([100.0] * 3)], 50, rng=rng)
    assert (tens.shape, hundreds.shape) == ((50, 2), (50, 3))
    assert set(tens.ravel()) == {1.0, 2.0}
    assert set(hundreds.ravel()) == {100.0}


def test_runs_that_agree_leave_no_doubt(rng):
    assert iqm_and_interval([np.full(5, 3.0)], rng=rng) == (3.0, (3.0, 3.0))


def test_each_task_counts_once_by_hand(rng):
    """A task of five runs comes to 2, one of two to 10, which drawn again is 8, 10 or 12."""
    strata = [np.array([100.0, 1.0, 2.0, 3.0, -50.0]), np.array([8.0, 12.0])]
    assert iqm_and_interval(strata, rng=rng)[0] == (2 + 10) / 2
    strata = [np.full(5, 3.0), np.array([8.0, 12.0])]
    assert iqm_and_interval(strata, rng=rng) == ((3 + 10) / 2, ((3 + 8) / 2, (3 + 12) / 2))


def test_improvement_is_certain_where_every_run_is_nearer(rng):
    ours, theirs = [np.array([1.0, 2.0])], [np.array([3.0, 4.0, 5.0])]
    assert probability_of_improvement(ours, theirs, rng=rng) == (1.0, (1.0, 1.0))
    assert probability_of_improvement(theirs, ours, rng=rng) == (0.0, (0.0, 0.0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_numbers_are_those_of_rliable(rng):
    rly = pytest.importorskip("rliable.library", reason="not installed")
    metrics = pytest.importorskip("rliable.metrics")
    ours, theirs = rng.normal(2, 1, (10, 3)), rng.normal(2.5, 1, (10, 3))
    for task in ours.T:
        points, intervals = rly.get_interval_estimates(
            {"iqm": task[:, None]},
            metrics.aggregate_iqm,
            reps=5000,
            random_state=np.random.RandomState(0),
        )
        iqm, ends = iqm_and_interval([task], rng=rng)
        assert iqm == pytest.approx(points["iqm"])
        assert ends == pytest.approx(intervals["iqm"].ravel(), abs=0.05)

    # Theirs counts higher scores as better.
    points, intervals = rly.get_interval_estimates(
        {"p": (-ours, -theirs)},
        metrics.probability_of_improvement,
        reps=200,
        random_state=np.random.RandomState(0),
    )
    share, ends = probability_of_improvement(list(ours.T), list(theirs.T), rng=rng)
    assert share == pytest.approx(points["p"])
    assert ends == pytest.approx(intervals["p"].ravel(), abs=0.06)
