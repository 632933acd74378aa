"""Settings that are auto: how far practice looks ahead."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from fakes import Things

from rig.agent.agent import Agent
from rig.agent.td3 import new_learner
from rig.cli.parse import parse
from rig.config import Config, ExploreConfig, RewardConfig, TD3Config
from rig.presets import find_preset
from rig.replay.buffer import ReplayBuffer
from rig.settings import change
from rig.training.horizon import FAR, NEAR, horizon_metrics, with_horizon
from rig.training.learn_round import settings_of
from rig.training.practice_pictures import PracticePictures
from rig.training.state import TrainState


AUTO = TD3Config(gamma="auto", n_steps="auto")
ALSO_AUTO = ExploreConfig(random_eps=0.2, random_duration="auto")


def horizon_of(kind, td3=AUTO):
    config = Config(reward=RewardConfig(kind=kind), td3=td3, explore=ALSO_AUTO)
    found = with_horizon(config)
    return found.td3.gamma, found.td3.n_steps, found.explore.random_duration


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sparse", NEAR),
        ("pixel_sparse", NEAR),
        ("sqrt_distance", FAR),
        ("latent", FAR),
        ("pixel_distance", FAR),
    ],
)
def test_the_horizon_is_far_under_a_dense_reward(kind, expected):
    assert horizon_of(kind) == expected


def test_the_reward_is_chosen_before_the_horizon():
    with pytest.raises(ValueError, match=r"choose reward\.kind"):
        horizon_of("auto")


def test_what_was_asked_for_stays():
    assert horizon_of("latent", TD3Config(gamma=0.5, n_steps=2))[:2] == (0.5, 2)
    assert horizon_of("latent", replace(AUTO, n_steps=2))[:2] == (FAR.gamma, 2)


def test_nothing_else_changes():
    config = find_preset("fast", "PushTwo")
    chosen = replace(config, reward=replace(config.reward, kind="sqrt_distance"))
    assert with_horizon(chosen) == replace(
        chosen,
        td3=replace(chosen.td3, gamma=0.98, n_steps=3),
        explore=replace(chosen.explore, random_duration=6.0),
    )


@pytest.mark.parametrize(("kind", "expected"), [("latent", FAR), ("sparse", NEAR)])
def test_a_run_learns_and_explores_with_the_horizon_of_its_reward(kind, expected):
    config = find_preset("fast", "PushTwo")
    learner = new_learner(3, 2, config.td3, key=jax.random.key(0))
    state = TrainState(
        rng=np.random.default_rng(0),
        agent=Agent(Things(2), learner),
        replay=ReplayBuffer(1, 1),
        num_env_steps=0,
        num_rollbacks=1,
        reward_kind=kind,
        env_states=np.zeros((1, 0)),
        coverage=np.zeros(1, bool),
        pictures=PracticePictures(),
    )
    found = settings_of(state, config)
    assert tuple(horizon_metrics(found).values()) == expected
    assert found.td3.learning_rate == config.td3.learning_rate / 2


@pytest.mark.parametrize("text", ["0.9", "auto", "0"])
def test_a_number_or_auto_can_be_given_in_each_way(text):
    by_hand = parse(["train", "Push", "--td3.gamma", text]).config()
    value = text if text == "auto" else float(text)
    assert by_hand.td3.gamma == value
    whole = value if text in ("auto", "0.9") else int(text)  # TOML and JSON have whole numbers
    changed = change(find_preset("fast", "Push"), {"td3.gamma": whole})
    assert changed == by_hand
    assert type(changed.td3.gamma) is type(value)
