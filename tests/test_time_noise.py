"""Noise from the order of images: small steps, and a camera that shakes."""

import numpy as np
import pytest

from rig.representation.time_noise import MIN_FLICKER, STEP_SHARE, time_noise


def test_steps_count_as_noise_only_where_images_follow_each_other():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(500, 4)), axis=0)
    noise = time_noise(np.float32(walk))
    np.testing.assert_allclose(noise, STEP_SHARE * np.eye(4) / 2, atol=0.03)
    assert np.trace(time_noise(np.float32(rng.permutation(walk)))) == 0


def test_a_camera_that_shakes_is_noise_in_full():
    """A walk under vibration: the vibration's covariance is found, with its direction."""
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(0, 0.1, size=(4000, 2)), axis=0)
    vibration = rng.normal(size=(4000, 1)) * [0.5, 0.25]
    expected = np.outer([0.5, 0.25], [0.5, 0.25]) * (1 + STEP_SHARE)
    np.testing.assert_allclose(time_noise(np.float32(walk + vibration)), expected, atol=0.02)


def test_a_little_flicker_is_no_shaking_camera():
    """Where most of a step stays, only a share of the step is noise."""
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(0, 0.4, size=(4000, 2)), axis=0)
    flicker = rng.normal(0, 0.2, size=(4000, 2))
    step = 0.4**2 / 2 + 0.2**2
    assert MIN_FLICKER * step > 0.2**2
    noise = time_noise(np.float32(walk + flicker))
    np.testing.assert_allclose(noise, STEP_SHARE * step * np.eye(2), atol=0.01)


@pytest.mark.parametrize("num", [1, 2, 3])
def test_a_few_images_can_be_asked(num):
    walk = np.cumsum(np.random.default_rng(0).normal(size=(num, 4)), axis=0)
    noise = time_noise(np.float32(walk))
    assert noise.shape == (4, 4)
    assert np.isfinite(noise).all()
