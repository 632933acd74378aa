import numpy as np
import pytest

from rig.representation.prior import make_prior


SEEN = np.array([[0, 10, 100], [2, 10, 200], [4, 10, 600]], np.float32)
MEAN = (2, 10, 300)
STD = (2, 0, 70_000**0.5)
"""Standard deviation of the distribution that ``SEEN`` is a sample of."""


@pytest.mark.parametrize(
    ("source", "mean", "std"),
    [
        ("normal", (0, 0, 0), (1, 1, 1)),
        ("fitted", MEAN, STD),
        ("correlated", MEAN, STD),
        ("seen", MEAN, np.multiply(STD, (2 / 3) ** 0.5)),
    ],
)
def test_samples_have_the_mean_and_std_of_their_source(source, mean, std, rng):
    draws = make_prior(source, SEEN, -1.0, rng=rng).sample(50_000, rng=rng)
    np.testing.assert_allclose(draws.std(axis=0), std, rtol=0.02, atol=0.002)
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.02 * max(*std, 1))


@pytest.mark.parametrize(("source", "correlation"), [("fitted", 0), ("correlated", 0.945)])
def test_only_the_correlated_prior_keeps_correlations(source, correlation, rng):
    draws = make_prior(source, SEEN, -1.0, rng=rng).sample(50_000, rng=rng)
    assert np.corrcoef(draws[:, 0], draws[:, 2])[0, 1] == pytest.approx(correlation, abs=0.02)


def test_seen_prior_samples_observed_latents(rng):
    draws = make_prior("seen", SEEN, -1.0, rng=rng).sample(100, rng=rng)
    assert {tuple(draw) for draw in draws} == {tuple(row) for row in SEEN}


def test_fitted_prior_samples_new_latents(rng):
    draws = make_prior("fitted", SEEN, -1.0, rng=rng).sample(100, rng=rng)
    assert len(np.unique(draws[:, 0])) == 100


@pytest.mark.parametrize("source", ["normal", "fitted", "correlated", "seen"])
def test_samples_are_float32_rows(source, rng):
    draws = make_prior(source, SEEN, -1.0, rng=rng).sample(5, rng=rng)
    assert (draws.shape, draws.dtype) == ((5, 3), np.float32)


@pytest.mark.parametrize("source", ["fitted", "correlated"])
def test_prior_works_with_one_latent_dimension(source, rng):
    draws = make_prior(source, SEEN[:, :1], -1.0, rng=rng).sample(50_000, rng=rng)
    assert draws.std() == pytest.approx(2, rel=0.02)


def with_outliers():
    """Ninety latents around 0 and ten around 10: nine of ten in one place."""
    noise = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32) * 0.1
    noise[900:] += 10
    return noise


@pytest.mark.parametrize(("skew", "share_of_rare"), [(0.0, 0.1), (-1.0, 0.5)])
def test_skewed_prior_balances_rare_and_common_latents(skew, share_of_rare, rng, measured):
    draws = make_prior("skewed", with_outliers(), skew, rng=rng).sample(20_000, rng=rng)
    off = (draws[:, 0] > 5).mean() - share_of_rare
    measured(f"share off by, skew {skew:g}", off, above=-0.1, below=0.1)


def test_skewed_prior_samples_observed_latents(rng):
    seen = with_outliers()
    draws = make_prior("skewed", seen, -1.0, rng=rng).sample(100, rng=rng)
    assert {tuple(draw) for draw in draws} <= {tuple(row) for row in seen}


@pytest.mark.parametrize("latent", [0.0, 1e-3, 1.1, 123.4, 3e4])
@pytest.mark.parametrize("noise", [0.0, 1e-7])
def test_constant_latents_can_be_sampled(latent, noise, rng):
    """Differences are rounding errors, relative to the size of the latents."""
    seen = latent * (1 + noise * rng.standard_normal((200, 16)))
    draws = make_prior("skewed", seen.astype(np.float32), -1.0, rng=rng).sample(50, rng=rng)
    np.testing.assert_allclose(draws, latent, rtol=1e-5)
