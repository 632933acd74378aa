import jax.numpy as jnp
import numpy as np
import pytest

from rig.representation.whiten import STEP_FLOOR, fit_whitening, no_whitening, rescale_by_steps


def seen(rng):
    """Two motions, of variance 4 and 1, each followed twice, and a little noise."""
    motion = rng.standard_normal((5000, 2)) * (2, 1)
    followed = np.concatenate([motion, motion], axis=1)
    return (followed + 0.01 * rng.standard_normal(followed.shape) + 5).astype(np.float32)


def test_floor_of_zero_gives_the_identity(rng):
    latent = jnp.asarray(seen(rng))
    np.testing.assert_array_equal(fit_whitening(np.asarray(latent), 0.0).apply(latent), latent)


def test_undo_is_the_inverse_of_apply(rng):
    latent = seen(rng)
    whitening = fit_whitening(latent, 0.01)
    back = whitening.undo(whitening.apply(jnp.asarray(latent)))
    np.testing.assert_allclose(back, latent, atol=1e-4)


def test_each_motion_counts_once_and_noise_does_not(rng, measured):
    weight = np.sort(fit_whitening(seen(rng), 0.01).weight)
    error = np.abs(weight - [0.0001 / 0.0101, 0.0001 / 0.0101, 1, 1])
    measured("error of a weight", error.max(), below=0.01)


def test_motions_that_count_have_mean_0_and_variance_1(rng, measured):
    latent = seen(rng)
    whitening = fit_whitening(latent, 0.01)
    counted = np.asarray(whitening.apply(jnp.asarray(latent)))[:, whitening.weight > 0.5]
    measured("error of a mean", np.abs(counted.mean(axis=0)).max(), below=1e-3)
    covariance = np.cov(counted, rowvar=False)
    measured("error of a variance", np.abs(covariance - np.eye(2)).max(), below=0.01)


def test_log_stds_are_scaled_with_the_latents(rng):
    whitening = fit_whitening(seen(rng), 0.01)
    log_std = jnp.log(jnp.full(4, 0.5))
    expected = 0.5 * np.sqrt((np.asarray(whitening.matrix) ** 2).sum(axis=0))
    np.testing.assert_allclose(np.exp(whitening.log_std(log_std)), expected, rtol=1e-4)


def test_log_stds_without_whitening_are_unchanged():
    log_std = jnp.array([-1.0, 0.5])
    assert no_whitening(2).log_std(log_std) == pytest.approx(np.array([-1.0, 0.5]), abs=1e-5)


def walked(rng):
    """Two motions that range alike; the second takes four times as many steps to do so."""
    latent = rng.standard_normal((5000, 2)).astype(np.float32)
    step = rng.standard_normal((5000, 2)) * (0.4, 0.1)
    return latent, (latent + step).astype(np.float32)


def test_motion_that_takes_more_steps_weighs_more(rng, measured):
    latent, next_latent = walked(rng)
    weight = rescale_by_steps(no_whitening(2), latent, next_latent).weight
    slow, fast = np.sort([0.1**2, 0.4**2])
    expected = np.sqrt((fast + STEP_FLOOR) / (slow + STEP_FLOOR))
    measured("of what is expected", weight[0] / weight[1] / expected, above=0.95, below=1.05)


def test_weighing_by_steps_keeps_the_scale_of_distances(rng, measured):
    latent, next_latent = walked(rng)
    before = fit_whitening(latent, 0.01)
    after = rescale_by_steps(before, latent, next_latent)
    squares = [
        np.sum(np.var(np.asarray(one.apply(jnp.asarray(latent)) * one.weight), axis=0))
        for one in (before, after)
    ]
    measured("change of the scale", abs(squares[0] / squares[1] - 1), below=1e-3)


def test_latents_weighed_by_steps_can_be_undone(rng):
    latent = seen(rng)
    whitening = rescale_by_steps(fit_whitening(latent, 0.01), latent[:-1], latent[1:])
    back = whitening.undo(whitening.apply(jnp.asarray(latent)))
    np.testing.assert_allclose(back, latent, atol=1e-3)
