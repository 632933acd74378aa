"""``td3.gamma`` and ``td3.n_steps`` auto."""

from dataclasses import replace

import pytest
from fakes import Things

from rig.cli.parse import parse
from rig.config import Config, GoalConfig, RewardConfig, TD3Config
from rig.presets import find_preset
from rig.settings import change
from rig.training.horizon import FAR, NEAR, with_horizon


AUTO = TD3Config(gamma="auto", n_steps="auto")


def horizon_of(num_things, reward, td3=AUTO):
    config = Config(reward=reward, td3=td3, goals=GoalConfig(source="composed"))
    found = with_horizon(config, Things(num_things)).td3
    return found.gamma, found.n_steps


@pytest.mark.parametrize(
    ("num_things", "reward", "expected"),
    [
        (3, RewardConfig(kind="sqrt_distance", by_thing=True), FAR),
        (3, RewardConfig(kind="latent", by_thing=True), FAR),
        (3, RewardConfig(kind="sqrt_distance"), NEAR),
        (3, RewardConfig(kind="sparse", by_thing=True), NEAR),
        (2, RewardConfig(kind="sqrt_distance", by_thing=True), NEAR),
    ],
)
def test_the_horizon_is_far_where_each_thing_has_its_own_reward(num_things, reward, expected):
    assert horizon_of(num_things, reward) == expected


def test_what_was_asked_for_stays():
    reward = RewardConfig(kind="sqrt_distance", by_thing=True)
    assert horizon_of(3, reward, TD3Config(gamma=0.5, n_steps=2)) == (0.5, 2)
    assert horizon_of(3, reward, replace(AUTO, n_steps=2)) == (FAR.gamma, 2)


def test_nothing_else_changes():
    config = find_preset("fast", "PushTwo")
    chosen = replace(config, reward=replace(config.reward, kind="sqrt_distance"))
    found = with_horizon(chosen, Things(3))
    assert found == replace(chosen, td3=replace(chosen.td3, gamma=0.98, n_steps=3))


@pytest.mark.parametrize("text", ["0.9", "auto", "0"])
def test_a_number_or_auto_can_be_given_in_each_way(text):
    by_hand = parse(["train", "Push", "--td3.gamma", text]).config()
    value = text if text == "auto" else float(text)
    assert by_hand.td3.gamma == value
    whole = value if text in ("auto", "0.9") else int(text)  # TOML and JSON have whole numbers
    changed = change(find_preset("fast", "Push"), {"td3.gamma": whole})
    assert changed == by_hand
    assert type(changed.td3.gamma) is type(value)
