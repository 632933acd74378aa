import numpy as np
import pytest
from fakes import Things

from rig.config import RewardConfig
from rig.replay.buffer import ReplayBuffer
from rig.replay.transitions import SampledTransitions
from rig.representation.reward import (
    LatentRows,
    latent_reward,
    log_probability_reward,
    pixel_distance_reward,
    pixel_reward,
    pixel_sparse_reward,
    reward_by_thing,
    sparse_reward,
    sqrt_distance_reward,
)
from rig.training.learn import make_reward


GOAL = np.array([[1, 2], [1, 2]], np.float32)
NEXT = np.array([[4, 6], [1, 2]], np.float32)
"""The first row is (3, 4) from its goal; the second is at its goal."""


def rows(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(("weight", "distance"), [((1, 1), 5), ((2, 1), 52**0.5), ((0, 1), 4)])
def test_latent_reward_is_minus_the_weighted_distance(weight, distance):
    np.testing.assert_allclose(latent_reward(NEXT, GOAL, rows(*weight)), [-distance, 0])


def test_sqrt_distance_is_minus_the_root_of_the_distance_plus_a_constant():
    expected = [-((5 + 0.02) ** 0.5), -(0.02**0.5)]
    np.testing.assert_allclose(
        sqrt_distance_reward(NEXT, GOAL, rows(1, 1)), expected, rtol=1e-6
    )


def test_log_probability_is_minus_half_the_squared_mahalanobis_distance():
    log_std = np.log(rows((3, 2), (1, 1)))
    reward = log_probability_reward(NEXT, GOAL, log_std, 0.1)
    np.testing.assert_allclose(reward, [-(1 + 4) / 2, 0], rtol=1e-6)


def test_std_of_the_encoder_has_a_floor():
    log_std = np.log(rows((1e-5, 1e-5), (1, 1)))
    reward = log_probability_reward(NEXT, GOAL, log_std, 10.0)
    np.testing.assert_allclose(reward, [-25 / 100 / 2, 0], rtol=1e-5)


@pytest.mark.parametrize(("threshold", "rewards"), [(5.1, [0, 0]), (4.9, [-1, 0])])
def test_sparse_reward_is_zero_inside_its_threshold_only(threshold, rewards):
    log_std = np.zeros_like(NEXT)
    assert sparse_reward(NEXT, GOAL, log_std, 0.1, threshold).tolist() == rewards


def test_sparse_threshold_is_in_standard_deviations():
    log_std = np.log(rows((5, 5), (5, 5)))
    assert sparse_reward(NEXT, GOAL, log_std, 0.1, 1.1).tolist() == [0, 0]
    assert sparse_reward(NEXT, GOAL, log_std, 0.1, 0.9).tolist() == [-1, 0]


def test_pixel_reward_is_minus_the_mean_squared_error():
    black = np.zeros((3, 2, 2, 3), np.uint8)
    other = black.copy()
    other[0] = 255
    other[1, 0, 1, 2] = 51  # a fifth of the range, in one number of twelve
    expected = [-1, -(0.2**2) / 12, 0]
    np.testing.assert_allclose(pixel_reward(black, other), expected, rtol=1e-6)
    np.testing.assert_allclose(pixel_reward(other, black), expected, rtol=1e-6)


def test_pixel_distance_is_the_root_of_the_mean_squared_error():
    black, other = np.zeros((2, 2, 2, 3), np.uint8), np.zeros((2, 2, 2, 3), np.uint8)
    other[0, 0, 0] = 102  # two fifths of the range, in a quarter of the numbers
    np.testing.assert_allclose(pixel_distance_reward(black, other), [-0.2, 0], rtol=1e-6)
    np.testing.assert_allclose(pixel_distance_reward(other, black), [-0.2, 0], rtol=1e-6)
    assert pixel_sparse_reward(black, other, 0.21).tolist() == [0, 0]
    assert pixel_sparse_reward(black, other, 0.19).tolist() == [-1, 0]


def test_rewards_are_float32():
    log_std, image = np.zeros_like(NEXT), np.zeros((2, 2, 2, 3), np.uint8)
    for reward in (
        latent_reward(NEXT, GOAL, rows(1, 1)),
        log_probability_reward(NEXT, GOAL, log_std, 0.1),
        sparse_reward(NEXT, GOAL, log_std, 0.1, 3.0),
        pixel_reward(image, image),
        pixel_distance_reward(image, image),
        pixel_sparse_reward(image, image, 0.1),
    ):
        assert (reward.shape, reward.dtype) == ((2,), np.float32)


PARTS = Things(3).parts
"""Each of three latents is a thing."""


def rows_of_things(kind, *, parts=PARTS):
    at, goal = rows((0, 0, 0), (0, 0, 0)), rows((0, 3, 4), (5, 0, 0))
    given = LatentRows(
        next_latent=at, next_log_std=np.zeros_like(at), goal=goal, weight=np.ones(3, np.float32)
    )
    return reward_by_thing(given, RewardConfig(kind=kind), parts)


def test_reward_by_thing_is_the_mean_over_things():
    np.testing.assert_allclose(rows_of_things("latent"), [-7 / 3, -5 / 3])
    far, near = 5.02**0.5, 0.02**0.5
    expected = [-(near + 3.02**0.5 + 4.02**0.5) / 3, -(far + 2 * near) / 3]
    np.testing.assert_allclose(rows_of_things("sqrt_distance"), expected, rtol=1e-6)


def test_reward_of_one_thing_is_that_of_everything():
    whole = rows_of_things("latent", parts=np.eye(3, dtype=np.float32)[None])
    np.testing.assert_allclose(whole, [-5, -5])


@pytest.mark.parametrize(
    ("kind", "by_thing", "num_things", "rewards"),
    [
        ("latent", True, 3, [-7 / 3, -5 / 3]),
        ("latent", False, 3, [-5, -5]),
        ("latent", True, 2, [-5, -5]),
        ("sparse", True, 3, [-1, -1]),
    ],
)
def test_reward_is_by_thing_where_it_is_asked_for_and_goals_are_composed(
    kind, by_thing, num_things, rewards
):
    goal = rows((0, 3, 4), (5, 0, 0))
    sampled = SampledTransitions(
        **dict.fromkeys(("latent", "next_latent", "next_log_std", "future_latent"), 0 * goal),
        action=goal,
        goal=goal,
        next_row=np.arange(2),
        num_left=np.ones(2, int),
    )
    config = RewardConfig(kind=kind, by_thing=by_thing)
    reward = make_reward(config, Things(num_things), ReplayBuffer(1, 1))
    np.testing.assert_allclose(reward(sampled, goal), rewards)
