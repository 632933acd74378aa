import numpy as np
import pytest

from rig.agent.explore import Noise, RandomPolicy
from rig.config import ExploreConfig


NUM_ENVS = 5000
STILL = np.zeros((NUM_ENVS, 2), np.float32)
CORRELATED = ExploreConfig(kind="ornstein_uhlenbeck", sigma=0.05, theta=0.15)
INDEPENDENT = ExploreConfig(kind="gaussian", sigma=0.05)


def noise_of(config, num_steps, rng):
    """Return the noise of every env at each step ``[steps, envs, 2]``."""
    noise = Noise(NUM_ENVS, 2, config)
    return np.stack([noise.add_to(STILL, rng=rng) for _ in range(num_steps)])


def correlation(first, second):
    return np.corrcoef(first.reshape(-1), second.reshape(-1))[0, 1]


def test_correlated_noise_has_its_closed_form_std(rng):
    settled = noise_of(CORRELATED, 40, rng)[-1]
    assert settled.std() == pytest.approx(0.05 / np.sqrt(1 - 0.85**2), rel=0.03)


def test_correlated_noise_decays_by_theta(rng):
    steps = noise_of(CORRELATED, 42, rng)
    assert correlation(steps[40], steps[41]) == pytest.approx(0.85, abs=0.02)
    assert correlation(steps[39], steps[41]) == pytest.approx(0.85**2, abs=0.02)


def test_gaussian_noise_is_independent_at_each_step(rng):
    steps = noise_of(INDEPENDENT, 20, rng)
    assert steps[-1].std() == pytest.approx(0.05, rel=0.03)
    assert abs(correlation(steps[-2], steps[-1])) < 0.05


def test_envs_and_axes_have_independent_noise(rng):
    last = noise_of(CORRELATED, 10, rng)[-1]
    assert abs(correlation(last[:, 0], last[:, 1])) < 0.05
    assert abs(correlation(last[:-1], last[1:])) < 0.05


def test_reset_clears_the_noise(rng):
    noise = Noise(NUM_ENVS, 2, CORRELATED)
    last = [noise.add_to(STILL, rng=rng) for _ in range(20)][-1]
    noise.reset()
    first = noise.add_to(STILL, rng=rng)
    assert first.std() == pytest.approx(0.05, rel=0.03)
    assert abs(correlation(last, first)) < 0.05


def test_noise_is_added_to_the_action(rng):
    noise = Noise(NUM_ENVS, 2, INDEPENDENT)
    action = np.tile(np.array([0.5, -0.25], np.float32), (NUM_ENVS, 1))
    noisy = noise.add_to(action, rng=rng)
    np.testing.assert_allclose(noisy.mean(axis=0), [0.5, -0.25], atol=0.01)
    assert action.std(axis=0).tolist() == [0, 0]


def test_noisy_actions_stay_in_bounds(rng):
    noise = Noise(NUM_ENVS, 2, ExploreConfig(sigma=5.0))
    noisy = noise.add_to(STILL, rng=rng)
    assert (noisy.min(), noisy.max(), noisy.dtype) == (-1, 1, np.float32)


@pytest.mark.parametrize("random_eps", [0.0, 0.25, 1.0])
def test_fraction_random_eps_of_actions_is_uniformly_random(random_eps, rng):
    noise = Noise(NUM_ENVS, 2, ExploreConfig(sigma=0.0, random_eps=random_eps))
    action = noise.add_to(STILL + 0.5, rng=rng)
    is_random = action != 0.5
    assert (is_random[:, 0] == is_random[:, 1]).all()
    assert is_random[:, 0].mean() == pytest.approx(random_eps, abs=0.03)
    if random_eps:
        assert action[is_random].mean() == pytest.approx(0, abs=0.06)
        assert action[is_random].std() == pytest.approx(3**-0.5, rel=0.05)


@pytest.mark.parametrize(("random_eps", "duration"), [(0.2, 6.0), (0.5, 1.5), (1.0, 4.0)])
def test_random_actions_are_repeated_for_random_duration_steps(random_eps, duration, rng):
    config = ExploreConfig(sigma=0.0, random_eps=random_eps, random_duration=duration)
    actions = noise_of(config, 40, rng)[..., 0]
    is_random = actions != 0
    np.testing.assert_allclose(is_random.mean(axis=1), random_eps, atol=0.03)  # at each step
    begins = is_random[1:] & (actions[1:] != actions[:-1])
    assert is_random[1:].sum() / begins.sum() == pytest.approx(duration, rel=0.05)


def test_no_random_action_goes_on_in_the_next_episode(rng):
    config = ExploreConfig(sigma=0.0, random_eps=1.0, random_duration=1e6)
    noise = Noise(NUM_ENVS, 2, config)
    first, second = (noise.add_to(STILL, rng=rng) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    noise.reset()
    assert (noise.add_to(STILL, rng=rng) != first).all()


@pytest.mark.parametrize("action_correlation", [0.0, 0.5, 0.9])
def test_random_actions_have_variance_1_before_clipping(action_correlation, rng):
    policy = RandomPolicy(NUM_ENVS, 2, action_correlation)
    policy.reset(rng=rng)
    last = [policy.act(rng=rng) for _ in range(20)][-1]
    beyond_one_std = 0.3173  # of a normal number, and clipped there
    assert (np.abs(last) == 1).mean() == pytest.approx(beyond_one_std, abs=0.02)


@pytest.mark.parametrize(
    ("action_correlation", "low", "high"), [(0, -0.05, 0.05), (0.9, 0.8, 0.92)]
)
def test_random_actions_are_correlated_over_time(action_correlation, low, high, rng):
    policy = RandomPolicy(NUM_ENVS, 2, action_correlation)
    policy.reset(rng=rng)
    assert low < correlation(policy.act(rng=rng), policy.act(rng=rng)) < high


def test_reset_draws_an_independent_random_action(rng):
    policy = RandomPolicy(NUM_ENVS, 2, 0.9)
    policy.reset(rng=rng)
    last = policy.act(rng=rng)
    policy.reset(rng=rng)
    assert abs(correlation(last, policy.act(rng=rng))) < 0.05
