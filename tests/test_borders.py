"""No transition leads from one episode into the next, however environments are reset.

That holds for a rollout that is driven at once and in parts.
"""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rig.agent.explore import Noise, RandomPolicy
from rig.config import ExploreConfig
from rig.replay.buffer import ReplayBuffer
from rig.training.rollout import PracticeRollout, collect_random
from rig.types import Encoding


MODES = list(AutoresetMode)
LENGTHS = (2, 3, 50)
"""Steps after which each world ends every episode of its own; the third one never does."""
NUM_STEPS = 8
WORLD, EPISODE, STEP = 0, 1, 2
"""What the three colours of a picture's one pixel tell."""


class ShortEnv(gymnasium.Env):
    """Its picture tells the world, the episode and the step; it remembers what it was told."""

    observation_space = spaces.Dict(observation=spaces.Box(0, 255, (1, 1, 3), np.uint8))
    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, envs):
        self.envs, self.episode, self.told = envs, -1, {}

    def reset(self, *, seed=None, options=None):
        self.episode, self.num_steps_done = self.episode + 1, 0
        return self._look(), {}

    def step(self, action):
        self.told[self.episode, self.num_steps_done] = action.copy()
        self.num_steps_done += 1
        has_ended = self.num_steps_done == LENGTHS[self.envs]
        by_time = has_ended and self.episode % 2 == 1
        return self._look(), 0.0, has_ended and not by_time, by_time, {}

    def _look(self):
        pixel = [self.envs, self.episode, self.num_steps_done]
        return {"observation": np.array(pixel, np.uint8).reshape(1, 1, 3)}


@pytest.fixture(params=MODES, ids=[mode.name for mode in MODES])
def envs(request):
    made = [lambda index=index: ShortEnv(index) for index in range(len(LENGTHS))]
    envs = SyncVectorEnv(made, autoreset_mode=request.param)
    yield envs
    envs.close()


def act(frames, goals):
    """An action that tells its goal, and an encoding that tells its frame."""
    number = frames.reshape(len(frames), 3) @ np.array([100, 10, 1])
    latent = number[:, None].astype(np.float32)
    return goals.repeat(2, axis=1), Encoding(latent=latent, log_std=-latent)


@pytest.fixture(params=[NUM_STEPS, 3, 1], ids=["at once", "in parts of 3", "step by step"])
def episodes(request, envs, rng):
    goals = np.array([[0.1], [0.2], [0.3]], np.float32)
    noise = Noise(len(LENGTHS), 2, ExploreConfig(kind="gaussian", sigma=0.05))
    rollout = PracticeRollout(envs, [goals], noise, NUM_STEPS, rng=rng)
    while not rollout.is_complete:
        rollout.advance(act, request.param)
    return rollout.episodes()


def apart(rollouts):
    """The pixels and the actions of each episode."""
    ends = np.cumsum(rollouts.num_steps + 1)[:-1]
    pixels = np.split(rollouts.frames[:, 0, 0].astype(int), ends)
    return list(
        zip(pixels, np.split(rollouts.actions, ends - np.arange(1, len(ends) + 1)), strict=True)
    )


def test_an_episode_is_of_one_world_from_its_first_frame_on(episodes):
    for pixels, _ in apart(episodes):
        assert len(np.unique(pixels[:, [WORLD, EPISODE]], axis=0)) == 1
        assert pixels[:, STEP].tolist() == list(range(max(2, len(pixels))))


def test_every_episode_that_ended_is_whole(episodes):
    ended = [pixels for pixels, _ in apart(episodes) if pixels[0, WORLD] < 2]
    lengths = [len(pixels) - 1 for pixels in ended]
    env_indices = [pixels[0, WORLD] for pixels in ended]
    assert lengths.count(2) + lengths.count(3) >= len(lengths) - 2
    assert env_indices.count(0) >= 3
    assert env_indices.count(1) >= 2


def test_actions_are_those_that_led_to_the_next_frame(episodes, envs):
    for pixels, actions in apart(episodes):
        for (number, episode, step), action in zip(pixels[:-1], actions, strict=True):
            np.testing.assert_array_equal(envs.envs[number].told[episode, step], action)


def test_frames_goals_and_latents_are_of_the_same_episode(episodes):
    pixels = episodes.frames[:, 0, 0].astype(int)
    np.testing.assert_array_equal(episodes.encoding.latent[:, 0], pixels @ [100, 10, 1])
    np.testing.assert_array_equal(episodes.encoding.log_std, -episodes.encoding.latent)
    env_indices = pixels[episodes.last_rows, WORLD]
    np.testing.assert_allclose(episodes.goals[:, 0], 0.1 * (env_indices + 1), rtol=1e-6)


def test_replay_recalls_no_transition_across_a_border(episodes, rng):
    replay = ReplayBuffer(100, NUM_STEPS)
    replay.add(episodes)
    sampled = replay.sample(500, rng=rng)
    np.testing.assert_array_equal(sampled.next_latent, sampled.latent + 1)
    same_episode = sampled.future_latent // 10 == sampled.latent // 10
    assert same_episode.all()
    assert (sampled.future_latent > sampled.latent).all()


def test_wandering_crosses_no_border_either(envs, rng):
    rollouts = collect_random(envs, RandomPolicy(len(LENGTHS), 2, 0.5), NUM_STEPS, rng=rng)
    for pixels, _ in apart(rollouts):
        assert pixels[:, STEP].tolist() == list(range(max(2, len(pixels))))
    firsts = np.cumsum(rollouts.num_steps + 1) - rollouts.num_steps - 1
    np.testing.assert_array_equal(rollouts.frames[firsts, 0, 0, WORLD], rollouts.env_indices)


def test_no_step_is_lost_but_those_that_reset(envs, rng):
    rollouts = collect_random(envs, RandomPolicy(len(LENGTHS), 2, 0.5), NUM_STEPS, rng=rng)
    resets_take_a_step = envs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    steps = [rollouts.num_steps[rollouts.env_indices == index].sum() for index in range(3)]
    assert steps == ([6, 6, 8] if resets_take_a_step else [8, 8, 8])
