import numpy as np
import pytest

from rig.representation.probe import (
    distance_correlation,
    nearest,
    pairs_of_frames,
    probe,
    time_distance_correlation,
)
from rig.types import Encoding, Episodes


@pytest.fixture
def states(rng):
    return rng.uniform([0, 0], [1, 10], (1000, 2))


def test_nearest_rows_are_the_nearest():
    known = np.array([[0.0], [10.0], [20.0], [30.0], [40.0]])
    assert sorted(nearest(np.array([[29.0]]), known)[0]) == [2, 3, 4]


def test_latents_equal_to_the_state_predict_it(states, measured):
    result = probe(states / [1, 10], states)
    measured("share of the range", (result.error / [1, 10]).max(), below=0.03)


def test_curved_latents_predict_the_state(states, measured):
    turn, radius = states[:, 0], 1 + states[:, 1] / 10
    latents = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    error = probe(latents, states).error
    measured("share of the range", (error / [1, 10]).max(), below=0.03)


def test_random_latents_are_no_better_than_the_median(states, rng, measured):
    result = probe(rng.normal(size=(1000, 2)), states)
    measured("error over baseline", (result.error / result.baseline_error).min(), above=0.85)


def test_baseline_error_is_a_quarter_of_a_uniform_range(states):
    np.testing.assert_allclose(probe(states, states).baseline_error, [0.25, 2.5], rtol=0.1)


def test_second_half_is_predicted_from_the_first_half_alone():
    latents = np.arange(20.0)[:, None] % 10
    states = np.repeat([0.0, 7.0], 10)[:, None]
    assert probe(latents, states).error[0] == 7


def test_each_state_variable_has_its_own_error(states, rng, measured):
    latents = np.stack([states[:, 0], rng.uniform(size=1000)], axis=1)
    latents[:, 1] *= 1e-6
    result = probe(latents, states)
    measured("error of what is known", result.error[0], below=0.03)
    measured("error of what is not", result.error[1], above=1.8)


def test_rotated_and_scaled_latents_correlate_with_distance(states, rng):
    turned = 3 * states @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    assert distance_correlation(turned, states, rng=rng) == pytest.approx(1)


def test_random_latents_do_not_correlate_with_distance(states, rng, measured):
    noise = rng.normal(size=states.shape)
    measured("correlation", distance_correlation(noise, states, rng=rng), above=-0.1, below=0.1)


def test_quadratic_state_is_predicted_precisely(rng, measured):
    latents = rng.uniform(-1, 1, (400, 4))
    states = latents[:, :1] * latents[:, 1:2] + latents[:, 2:3] ** 2
    measured("error", probe(latents, states).error[0], below=1e-4)


def test_pairs_of_frames_are_of_one_episode(rng):
    first, second = pairs_of_frames(np.array([1, 3, 2]), rng=rng)
    episode = np.array([0, 0, 1, 1, 1, 1, 2, 2, 2])
    assert (episode[first] == episode[second]).all()
    assert set(first) == set(range(9))


def episodes_of(latents, num_steps):
    latents = np.asarray(latents, np.float32)
    return Episodes(
        num_steps=np.array(num_steps),
        actions=np.zeros((sum(num_steps), 1), np.float32),
        frames=latents,
        encoding=Encoding(latent=latents, log_std=latents),
        goals=latents[: len(num_steps)],
    )


def test_latents_of_constant_speed_correlate_with_time(rng):
    steady = episodes_of([[0], [2], [4], [50], [52], [54], [56]], [2, 3])
    weight = np.ones(1, np.float32)
    assert time_distance_correlation(steady, weight, rng=rng) == pytest.approx(1)
    assert time_distance_correlation(steady, 0 * weight, rng=rng) == 0
