import numpy as np
import pytest

from rig.latent.prior import make_prior


SEEN = np.array([[0, 10, 100], [2, 10, 200], [4, 10, 600]], np.float32)


@pytest.mark.parametrize(
    ("source", "mean", "std"),
    [
        ("normal", [0, 0, 0], [1, 1, 1]),
        ("fitted", [2, 10, 300], np.sqrt([8 / 3, 0, 140_000 / 3])),
        ("seen", [2, 10, 300], np.sqrt([8 / 3, 0, 140_000 / 3])),
    ],
)
def test_draws_have_the_mean_and_spread_of_their_source(source, mean, std, rng):
    draws = make_prior(source, SEEN).sample(50_000, rng=rng)
    np.testing.assert_allclose(draws.std(axis=0), std, rtol=0.02)
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.02 * max(*std, 1))


def test_seen_draws_are_latents_of_images_seen(rng):
    draws = make_prior("seen", SEEN).sample(100, rng=rng)
    assert {tuple(draw) for draw in draws} == {tuple(row) for row in SEEN}


def test_fitted_draws_are_not_those_seen(rng):
    draws = make_prior("fitted", SEEN).sample(100, rng=rng)
    assert len(np.unique(draws[:, 0])) == 100


@pytest.mark.parametrize("source", ["normal", "fitted", "seen"])
def test_draws_are_rows_of_single_precision(source, rng):
    draws = make_prior(source, SEEN).sample(5, rng=rng)
    assert (draws.shape, draws.dtype) == ((5, 3), np.float32)
