"""Errors of somebody else's code in a run: whose they are, and what to do."""

import errno
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import registry

from rig.errors import ExternalEnvError
from rig.runs.run import Run
from rig.training import run_training
from rig.training.progress import PlainProgress
from rig.training.run_training import is_about_writing, resume_run, train_run


class Robot(gymnasium.Env):
    """Its fourth motor stops answering after some steps of all robots together."""

    observation_space = spaces.Box(0, 255, (48, 48, 3), np.uint8)
    action_space = spaces.Box(-1, 1, (2,), np.float32)
    num_left = 30

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros((48, 48, 3), np.uint8), {}

    def step(self, action):
        Robot.num_left -= 1
        if Robot.num_left < 0:
            raise ConnectionError("motor 4 does not answer")
        return np.zeros((48, 48, 3), np.uint8), 0.0, False, False, {}

    def close(self):
        if Robot.num_left < 0:
            raise ConnectionError("no robot to close")


@pytest.fixture
def run(tiny, tmp_path):
    gymnasium.register("robot/Robot-v0", Robot, max_episode_steps=25)
    Robot.num_left = 30
    yield Run.create(tmp_path / "run", replace(tiny, task="robot/Robot-v0"), {})
    del registry["robot/Robot-v0"]


def quiet():
    return PlainProgress(lambda _line: None)


def test_error_of_a_robot_is_its_own_and_leaves_a_traceback(run, monkeypatch):
    with pytest.raises(ExternalEnvError) as caught:
        train_run(run, progress=quiet())
    log = run.directory / "error.log"
    message = str(caught.value)
    assert "robot/Robot-v0: step raised ConnectionError: motor 4 does not answer" in message
    assert f"its traceback is in {log}; resume with `rig train --resume" in message
    assert 'raise ConnectionError("motor 4 does not answer")' in log.read_text()
    monkeypatch.setattr(run_training, "check_reproducible", lambda *_, **__: None)
    Robot.num_left = 30
    with pytest.raises(ExternalEnvError, match="motor 4"):
        resume_run(run.directory, progress=quiet())


def test_error_of_a_callback_is_not_one_of_the_disk(run):
    def fail(*_arguments):
        raise TimeoutError("the dashboard is away")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_training, "train", fail)
        with pytest.raises(TimeoutError, match="the dashboard is away"):
            train_run(run, progress=quiet())


def test_disk_errors_are_told_from_others(run):
    inside, outside = str(run.directory / "metrics.jsonl"), "/dev/ttyUSB0"
    assert is_about_writing(OSError(errno.ENOSPC, "No space left on device"), run)
    assert is_about_writing(PermissionError(errno.EACCES, "Permission denied", inside), run)
    assert not is_about_writing(PermissionError(errno.EACCES, "denied", outside), run)
    assert not is_about_writing(ConnectionError("motor 4 does not answer"), run)
