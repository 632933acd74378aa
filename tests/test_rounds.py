"""Rounds are of bounded length, however long the episodes of an external environment are."""

from dataclasses import replace
from itertools import pairwise

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import registry
from whole_runs import Signalling, files_of

from rig.config import CheckpointConfig, CollectConfig, EvaluateConfig, GoalConfig
from rig.errors import StoppedError
from rig.runs.run import Run
from rig.training import run_training
from rig.training.collect import MAX_ROUND_STEPS
from rig.training.loop import train
from rig.training.progress import PlainProgress
from rig.training.run_training import resume_run, train_run


TASK = "rounds/Drift-v0"
NUM_ENVS, EPISODE_STEPS = 2, 250
ROUND = NUM_ENVS * MAX_ROUND_STEPS
SECOND_EPISODE = ROUND + NUM_ENVS * EPISODE_STEPS
"""The steps when it begins: collection takes a round."""


class Drift(gymnasium.Env):
    """A dot that drifts by itself: what it shows depends on the whole episode so far.

    Some episodes end early.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    action_space = spaces.Box(-1, 1, (2,), np.float32)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.num_steps_done = np.zeros(2, np.float32), 0
        self.last_step = self.np_random.integers(60, 900)
        return self.place.copy(), {}

    def step(self, action):
        drift = self.np_random.normal(size=2)
        self.place = np.clip(self.place + 0.05 * action + 0.02 * drift, -1, 1).astype(
            np.float32
        )
        self.num_steps_done += 1
        return self.place.copy(), 0.0, self.num_steps_done == self.last_step, False, {}

    def render(self):
        image = np.zeros((48, 48, 3), np.uint8)
        row, column = (20 + 18 * self.place).astype(int)
        image[row : row + 8, column : column + 8] = 255
        return image


@pytest.fixture(scope="module", autouse=True)
def registered():
    gymnasium.register(TASK, Drift, max_episode_steps=EPISODE_STEPS)
    yield
    del registry[TASK]


@pytest.fixture(scope="module")
def config(tiny):
    return replace(
        tiny,
        task=TASK,
        num_envs=NUM_ENVS,
        total_timesteps=1300,
        buffer_size=2000,
        collect=CollectConfig(num_images=150),
        goals=GoalConfig(per_rollout=2, refresh_every_steps=400),
        evaluate=EvaluateConfig(every_steps=400, num_goals=2, num_probes=100),
        checkpoint=CheckpointConfig(every_steps=100),
    )


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    run = Run.create(tmp_path_factory.mktemp("runs") / "run", config, {})
    train_run(run)
    return run


def rounds_of(run):
    """The steps after each round, of all environments together."""
    return [row["num_env_steps"] for row in run.metrics() if "td3/critic_loss" in row]


def test_learning_alternates_with_rounds_of_bounded_length(finished):
    steps = rounds_of(finished)
    assert all(0 < after - before <= ROUND for before, after in pairwise(steps))
    assert steps[0] <= 2 * ROUND
    assert NUM_ENVS * EPISODE_STEPS not in {after - before for before, after in pairwise(steps)}


def test_collection_takes_no_more_steps_than_it_needs(finished, config):
    assert rounds_of(finished)[0] - ROUND == ROUND < NUM_ENVS * EPISODE_STEPS


def test_run_ends_within_one_round_of_what_was_asked_and_says_the_true_number(finished, config):
    num = rounds_of(finished)[-1]
    assert config.total_timesteps <= num < config.total_timesteps + ROUND
    assert finished.evaluation()["num_env_steps"] == num


def test_evaluation_waits_for_the_end_of_the_episodes(finished):
    """It resets the environments, of which a robot has only one."""
    evaluated = {
        row["num_env_steps"]
        for row in finished.metrics()
        if any(name.startswith("eval/") for name in row)
    }
    length = NUM_ENVS * EPISODE_STEPS
    assert evaluated == {ROUND + length, ROUND + 2 * length, rounds_of(finished)[-1]}


@pytest.mark.slow
@pytest.mark.ci
def test_run_stopped_in_the_middle_of_an_episode_resumes_to_the_same_bytes(
    finished, config, tmp_path, monkeypatch
):
    run = Run.create(tmp_path / "run", config, {})
    with monkeypatch.context() as patch:
        patch.setattr(run_training, "open_progress", lambda: Signalling(done=2 * ROUND))
        with pytest.raises(StoppedError):
            train_run(run)
    assert rounds_of(run)[-1] == ROUND + NUM_ENVS * EPISODE_STEPS, "to the end of the episode"
    resume_run(run.directory)
    assert files_of(run) == files_of(finished)


class PowerLossError(Exception):
    """The process is gone."""


class Dying(PlainProgress):
    """A display during which the process dies in the middle of the second episode."""

    def advance(self, done, latest):
        super().advance(done, latest)
        if self.phase_name == "train" and done == SECOND_EPISODE + ROUND:
            raise PowerLossError


@pytest.mark.slow
@pytest.mark.ci
def test_run_killed_in_the_middle_of_an_episode_resumes_to_the_same_bytes(
    finished, config, tmp_path
):
    run = Run.create(tmp_path / "run", config, {})
    with pytest.raises(PowerLossError):
        train(config, run, Dying(lambda _line: None))
    resume_run(run.directory, force=True)
    assert files_of(run) == files_of(finished)
