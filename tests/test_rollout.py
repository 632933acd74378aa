import numpy as np
import pytest
from fakes import CountingEnv

from rig.agent.explore import Noise, RandomPolicy
from rig.config import ExploreConfig
from rig.training.rollout import collect_random, collect_rollouts
from rig.types import Encoding


NUM_ENVS, NUM_STEPS = 3, 4
NUMBERS = 10 * np.arange(NUM_ENVS)[:, None] + np.arange(NUM_STEPS + 1)
"""What each world shows at each step."""
GOALS = np.array([[0.1], [0.2], [0.3]], np.float32)


@pytest.fixture
def envs():
    return CountingEnv(NUM_ENVS)


def act(frames, goals):
    """An action that tells which frame and goal it was for."""
    number = frames[:, 0, 0, :1].astype(np.float32)
    action = np.concatenate([number / 100, goals], axis=1)
    return action, Encoding(latent=1000 + number, log_std=2000 + number)


@pytest.fixture
def episodes(envs, rng):
    noise = Noise(NUM_ENVS, 2, ExploreConfig(kind="gaussian", sigma=0.01))
    return collect_rollouts(envs, act, [GOALS], noise, NUM_STEPS, rng=rng)


def test_frames_are_what_each_world_showed_at_each_step(episodes):
    np.testing.assert_array_equal(episodes.frames[:, 0, 0, 0], NUMBERS.reshape(-1))


def test_environment_that_fills_its_images_again_loses_none(rng):
    envs = CountingEnv(NUM_ENVS)
    images, look = np.zeros((NUM_ENVS, 1, 1, 3), np.uint8), envs.look

    def look_again():
        images[:] = look()
        return images

    envs.look = look_again
    policy = RandomPolicy(NUM_ENVS, 2, 0.9)
    frames = collect_random(envs, policy, NUM_STEPS, rng=rng).frames
    np.testing.assert_array_equal(frames[:, 0, 0, 0], NUMBERS.reshape(-1))


def test_actions_are_what_the_world_was_told(episodes, envs):
    np.testing.assert_array_equal(
        episodes.actions.reshape(NUM_ENVS, NUM_STEPS, 2), np.stack(envs.told, axis=1)
    )


def test_actions_are_for_the_frame_and_goal_of_their_step_with_noise(episodes):
    shown = np.float32(NUMBERS[:, :-1].reshape(-1) / 100)
    np.testing.assert_allclose(episodes.actions[:, 0], shown, atol=0.05)
    np.testing.assert_allclose(episodes.actions[:, 1], GOALS.repeat(4), atol=0.05)
    assert (episodes.actions[:, 0] != shown).all()


def test_every_frame_is_encoded_in_its_row(episodes):
    np.testing.assert_array_equal(episodes.encoding.latent[:, 0], 1000 + NUMBERS.reshape(-1))
    np.testing.assert_array_equal(episodes.encoding.log_std[:, 0], 2000 + NUMBERS.reshape(-1))


def test_goals_are_kept(episodes):
    np.testing.assert_array_equal(episodes.goals, GOALS)
    assert episodes.num_steps.tolist() == [NUM_STEPS] * NUM_ENVS
    assert (episodes.frames[episodes.last_rows, 0, 0, 0] == NUMBERS[:, -1]).all()


@pytest.mark.parametrize(("num_steps", "aimed"), [(4, [0, 0, 1, 1]), (5, [0, 0, 0, 1, 1])])
def test_goals_take_turns_and_the_last_is_kept(envs, rng, num_steps, aimed):
    noise = Noise(NUM_ENVS, 2, ExploreConfig(kind="gaussian", sigma=0.0))
    in_turn = [GOALS, GOALS + np.float32(0.5)]
    episodes = collect_rollouts(envs, act, in_turn, noise, num_steps, rng=rng)
    told = episodes.actions[:, 1].reshape(NUM_ENVS, num_steps)
    np.testing.assert_allclose(told, np.concatenate([in_turn[turn] for turn in aimed], axis=1))
    np.testing.assert_array_equal(episodes.goals, in_turn[1])


def test_noise_begins_anew_with_each_episode(envs, rng):
    noise = Noise(NUM_ENVS, 2, ExploreConfig(sigma=0.0, theta=0.0))
    noise.add_to(np.zeros((NUM_ENVS, 2), np.float32), rng=rng)
    noise._noise[:] = 0.5
    collect_rollouts(envs, act, [GOALS], noise, 1, rng=rng)
    np.testing.assert_array_equal(envs.told[-1], act(NUMBERS[:, :1, None, None], GOALS)[0])


def test_wandering_keeps_what_happened(envs, rng):
    rollouts = collect_random(envs, RandomPolicy(NUM_ENVS, 2, 0.5), NUM_STEPS, rng=rng)
    np.testing.assert_array_equal(rollouts.frames[:, 0, 0, 0], NUMBERS.reshape(-1))
    told = np.stack(envs.told, axis=1).reshape(-1, 2)
    np.testing.assert_array_equal(rollouts.actions, told)
    assert rollouts.num_steps.tolist() == [NUM_STEPS] * NUM_ENVS
    assert rollouts.env_indices.tolist() == [0, 1, 2]


def test_every_rollout_starts_from_a_reset(envs, rng):
    for _ in range(2):
        rollouts = collect_random(envs, RandomPolicy(NUM_ENVS, 2, 0.5), NUM_STEPS, rng=rng)
    np.testing.assert_array_equal(rollouts.frames[:, 0, 0, 0], NUMBERS.reshape(-1))
