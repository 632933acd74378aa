from dataclasses import replace

import numpy as np
import pytest

from rig.config import CollectConfig, RewardConfig
from rig.errors import ConfigError
from rig.runs.run import Run
from rig.training.loop import train
from rig.training.progress import PlainProgress
from rig.types import Collected


def trained(config, directory):
    """The run of a policy that was trained to the end."""
    run = Run.create(directory / "run", config, {})
    train(config, run, PlainProgress(lambda _line: None))
    return run


def rounds_of(run):
    """The environment steps after each round of practice."""
    return [row["num_env_steps"] for row in run.metrics() if "td3/critic_loss" in row]


@pytest.mark.slow
@pytest.mark.ci
def test_steps_of_collection_count_even_if_memory_has_forgotten_them(tiny, tmp_path):
    """Two worlds take 100 steps in a round, of which memory has room for 50."""
    assert rounds_of(trained(replace(tiny, buffer_size=50), tmp_path)) == [200, 300]


def test_teleporting_takes_no_step(tiny, tmp_path):
    config = replace(tiny, collect=CollectConfig(source="teleport", num_images=100))
    assert rounds_of(trained(config, tmp_path)) == [100, 200, 300]


def test_every_frame_but_an_episode_s_last_leads_on():
    collected = Collected(
        images=np.zeros((5, 2, 2, 3), np.uint8),
        actions=np.zeros((3, 2), np.float32),
        num_steps=np.array([2, 1]),
    )
    assert collected.rows_with_action.tolist() == [0, 1, 3]


def test_a_metric_that_counts_steps_needs_steps(tiny):
    steps = RewardConfig(metric="steps")
    with pytest.raises(ConfigError, match="has none, choose practice"):
        replace(tiny, reward=steps, collect=CollectConfig(source="teleport"))


@pytest.mark.slow
@pytest.mark.ci
def test_run_learns_under_a_metric_that_counts_steps(tiny, tmp_path):
    config = replace(tiny, reward=RewardConfig(metric="steps"))
    policy = train(
        config, Run.create(tmp_path / "run", config, {}), PlainProgress(lambda _line: None)
    )
    space = policy.representation
    assert np.mean(space.weight) > 0
    assert not np.allclose(space.weight, 1)
