import math
from dataclasses import replace

import jax
import numpy as np
import pytest

from rig.config import CheckpointConfig
from rig.errors import DivergedError
from rig.replay.transitions import SampledTransitions
from rig.runs.run import Run
from rig.training import loop as training
from rig.training.divergence import (
    all_finite,
    check_dead_latents,
    check_exploded_critic,
    information_nats,
)
from rig.training.run_training import resume_run, train_run


def sampled(latents, std):
    size = np.zeros_like(latents)
    return SampledTransitions(
        latent=size,
        action=size,
        next_latent=latents,
        next_log_std=np.full_like(latents, math.log(std)),
        goal=size,
        future_latent=size,
        next_row=np.arange(len(latents)),
        num_left=np.ones(len(latents), int),
    )


def test_information_of_a_latent_as_wide_as_its_noise_is_half_a_bit():
    latents = np.array([[-1.0], [1.0]], np.float32)
    assert information_nats(latents, 0 * latents) == pytest.approx(0.5 * math.log(2))


def test_latents_that_never_move_are_dead(rng):
    check_dead_latents(sampled(rng.standard_normal((100, 3), np.float32), 1.0))
    with pytest.raises(DivergedError, match="collapsed"):
        check_dead_latents(sampled(1e-4 * rng.standard_normal((100, 3), np.float32), 1.0))


@pytest.mark.parametrize("value", [-499.0, 499.0])
def test_value_within_ten_returns_is_let_be(value):
    check_exploded_critic(value, 50.0)


@pytest.mark.parametrize("value", [-501.0, 501.0, math.inf])
def test_value_beyond_ten_returns_is_named(value):
    with pytest.raises(DivergedError, match="no return is beyond 50: it exploded"):
        check_exploded_critic(value, 50.0)


def test_one_number_that_is_lost_is_found():
    tree = {"weights": (np.ones(3), np.array([1.0, np.nan])), "count": np.zeros((), np.int32)}
    assert not all_finite(tree)
    assert all_finite(jax.tree.map(np.zeros_like, tree))


@pytest.fixture
def run(tmp_path, tiny):
    config = replace(
        tiny, on_divergence="rollback", checkpoint=CheckpointConfig(every_steps=100)
    )
    return Run.create(tmp_path / "run", config, {})


def diverging(monkeypatch, num_times):
    """Rounds from step 300 on diverge so many times; the step sizes tried there."""
    rates = []

    def refuse(state, config, metrics):
        if state.num_env_steps >= 300:
            rates.append(config.td3.learning_rate)
            if len(rates) <= num_times:
                raise DivergedError("it diverged")

    monkeypatch.setattr(training, "check_divergence", refuse)
    return rates


@pytest.mark.slow
@pytest.mark.ci
def test_run_that_diverges_goes_back_and_on_with_half_the_step_size(run, monkeypatch, tiny):
    rates = diverging(monkeypatch, 2)
    train_run(run)
    assert rates[:3] == [tiny.td3.learning_rate * share for share in (1, 0.5, 0.25)]
    (row,) = [row for row in run.metrics() if "run/num_rollbacks" in row]
    assert (row["num_env_steps"], row["run/num_rollbacks"]) == (200, 2)
    assert run.is_finished


@pytest.mark.slow
@pytest.mark.ci
def test_run_that_diverges_again_and_again_stops_and_keeps_its_checkpoint(run, monkeypatch):
    diverging(monkeypatch, 99)
    with pytest.raises(DivergedError, match=r"it diverged; stopped after 200 steps .* is kept"):
        train_run(run)
    monkeypatch.undo()
    resume_run(run.directory)
    assert run.is_finished


@pytest.mark.slow
def test_step_size_that_is_far_too_large_is_noticed_in_its_round(tmp_path, tiny):
    td3 = replace(tiny.td3, learning_rate=1e3, utd_ratio=1.0)
    run = Run.create(tmp_path / "run", replace(tiny, td3=td3), {})
    with pytest.raises(DivergedError, match=r"diverged|exploded"):
        train_run(run)
    assert max(row["num_env_steps"] for row in run.metrics()) <= 200
