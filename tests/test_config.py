import json
import re
import subprocess
import sys
from dataclasses import asdict, is_dataclass, replace
from typing import get_args

import pytest

from rig.config import (
    Config,
    EvaluateConfig,
    GoalMixture,
    ReplayConfig,
    RewardConfig,
    TD3Config,
    VAEConfig,
)
from rig.errors import ConfigError
from rig.presets import PRESETS, find_preset
from rig.runs.old_names import SETTINGS, check_new_names, with_new_names
from rig.runs.settings import read_config
from rig.settings import flat, from_dict, nested
from rig.validation import is_choice, types_of


GROUPS = [Config, *(type(value) for value in vars(Config()).values() if is_dataclass(value))]
BOUNDS = [
    (group, name, bound, number)
    for group in (*GROUPS, GoalMixture)
    for name, kind in types_of(group).items()
    for part in (get_args(kind) if is_choice(kind) else (kind,))
    for entry in get_args(part)[1:]
    for bound in ("ge", "gt", "le", "lt")
    if (number := getattr(entry, bound, None)) is not None
]
"""Every end of a range that a setting's type states."""
REFUSED = [
    (TD3Config, {"gamma": 1.0}, "gamma must be in [0, 1) or auto, got 1.0"),
    (TD3Config, {"gamma": float("nan")}, "gamma must be in [0, 1) or auto, got nan"),
    (TD3Config, {"tau": 0.0}, "tau must be in (0, 1], got 0.0"),
    (TD3Config, {"learning_rate": -1e-3}, "learning_rate must be above 0, got -0.001"),
    (TD3Config, {"hidden_sizes": ()}, "hidden_sizes must be a list of at least 1 value(s)"),
    (TD3Config, {"hidden_sizes": (8, 0)}, "must be at least 1 in each place, got (8, 0)"),
    (TD3Config, {"channels": (16,)}, "channels must have 0 or 2 values, got (16,)"),
    (EvaluateConfig, {"num_probes": 99}, "num_probes must be at least 100, got 99"),
    (Config, {"seed": -1}, "seed must be at least 0, got -1"),
    (Config, {"seed": 10**13}, "seed must be a whole number, got 10000000000000"),
    (VAEConfig, {"blur_sigmas_px": (2.0,)}, "likelihood bernoulli takes architecture patches"),
    (VAEConfig, {"architecture": "feature_points"}, "choose gaussian"),
    (
        VAEConfig,
        {"architecture": "feature_points", "likelihood": "gaussian", "latent_dim": 5},
        "a position takes two latents, so latent_dim must be even, got 5",
    ),
    (GoalMixture, {"original": 0.2}, "sum to 1, got 1.1 (original=0.2, future=0.4, prior=0.5)"),
    (GoalMixture, {"original": -0.1, "future": 0.6}, "goal fractions must be at least 0"),
    (
        Config,
        {"oracle": True, "reward": RewardConfig(kind="pixel_sparse")},
        "--oracle uses no images, and reward.kind pixel_sparse compares them",
    ),
    (
        Config,
        {"replay": ReplayConfig(prioritized=1.0)},
        "replay.prioritized goes by things, and only goals.source composed tells them apart: "
        "choose it, not fitted",
    ),
    (TD3Config, {"n_steps": 0}, "n_steps must be at least 1 or auto, got 0"),
    (TD3Config, {"n_steps": "often"}, "n_steps must be a whole number or auto, got 'often'"),
]


@pytest.mark.parametrize(("kind", "values", "message"), REFUSED)
def test_setting_out_of_its_range_is_refused_with_its_value(kind, values, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        kind(**values)


@pytest.mark.parametrize(("group", "name", "bound", "number"), BOUNDS)
def test_range_ends_where_its_type_says(group, name, bound, number):
    kind = type(getattr(group(), name))
    at, outside = kind(number), kind(number + (1 if bound in ("le", "lt") else -1))
    with pytest.raises(ConfigError, match=f"{name} must be .*got {re.escape(str(outside))}"):
        group(**{name: outside})
    if bound in ("ge", "le"):
        assert getattr(group(**{name: at}), name) == at
    else:
        with pytest.raises(ConfigError, match=f"{name} must be "):
            group(**{name: at})


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("Config(image_size=50)", "image_size must be 48 or 84, got 50"),
        ("VAEConfig(channels=())", "channels must be a list of 2 value(s), got ()"),
        ("Config(num_envs='many')", "num_envs must be a whole number, got 'many'"),
    ],
)
def test_wrong_type_is_refused_without_a_type_checker(code, message):
    code = f"from rig.config import Config, VAEConfig; {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"ConfigError: {message}" in done.stderr


@pytest.mark.parametrize("name", PRESETS)
def test_preset_survives_json(name):
    config = find_preset(name, "Push")
    assert from_dict(Config, json.loads(json.dumps(asdict(config)))) == config


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_for_the_task_that_was_asked_for(name):
    assert find_preset(name, "Push").task == "Push"


def test_unknown_preset_names_the_nearest_one():
    with pytest.raises(ConfigError, match="unknown preset 'fats': did you mean 'fast'"):
        find_preset("fats", "Reach")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sede": 1}, "unknown key 'sede', did you mean 'seed'"),
        ({"td3": {"gama": 0.9}}, "unknown key 'gama', did you mean 'gamma'"),
        ({"goals": {"mixture": {"futur": 1}}}, "'futur', did you mean 'future'"),
        ({"explore": {"xyzzy": 1}}, "known: kind, random_duration, random_eps, sigma, theta"),
        ({"td3": 5}, "td3 must be a group of settings, got 5"),
        (
            {"reward": {"kind": "latnt"}},
            "kind must be auto, latent, .*got 'latnt'",
        ),
        ({"td3": {"gamma": 2.0}}, "gamma must be in"),
        ({"td3": {"hidden_sizes": 8}}, "hidden_sizes must be a list of at least 1"),
        ({"seed": 10**400}, "seed must be a whole number"),
        ({"td3": {"gamma": 10**400}}, r"td3\.gamma must be a number"),
    ],
)
def test_loaded_settings_are_checked(values, message):
    with pytest.raises(ConfigError, match=message):
        from_dict(Config, values)


def test_missing_keys_take_their_defaults():
    assert from_dict(Config, {"td3": {"gamma": 0.5}}) == Config(td3=TD3Config(gamma=0.5))


def test_lists_become_tuples_again():
    assert from_dict(VAEConfig, {"channels": [4, 8]}).channels == (4, 8)


@pytest.mark.parametrize(
    "task", ["Reach", "push", "rig/PushTwo-v0", "rig.envs:rig/Rope-v0", "AdroitHandDoor-v1"]
)
def test_no_preset_knows_the_name_of_a_task(task):
    for preset, plain in PRESETS.items():
        assert find_preset(preset, task) == replace(plain, task=task)


@pytest.mark.parametrize(("old", "new"), SETTINGS.items())
def test_old_name_of_a_setting_is_read_and_a_person_is_told_the_new_one(old, new):
    assert new in flat(asdict(Config()))
    assert old not in flat(asdict(Config()))
    assert with_new_names({old: 1}) == {new: 1}
    assert with_new_names(nested({old: 1})) == nested({new: 1})
    with pytest.raises(ConfigError, match=re.escape(f"{old} is now called {new}")):
        check_new_names({old: 1})


def test_old_choice_is_read_and_a_person_is_told_the_new_one():
    assert read_config({"reward": {"kind": "root"}}).reward.kind == "sqrt_distance"
    assert with_new_names({"reward.kind": ["root", "latent"]}) == {
        "reward.kind": ["sqrt_distance", "latent"]
    }
    with pytest.raises(ConfigError, match=r"reward\.kind root is now called sqrt_distance"):
        check_new_names({"reward.kind": "root"})


def test_settings_of_an_older_version_are_read_whole():
    old = {"replay_size": 50, "td3": {"warmup_steps": 7, "gamma": 0.5}, "goals": {}}
    config = read_config(old)
    assert (config.buffer_size, config.td3.learning_starts, config.td3.gamma) == (50, 7, 0.5)
    check_new_names(flat(asdict(config)))


def test_setting_by_both_its_names_is_refused():
    with pytest.raises(ConfigError, match="unknown key 'replay_size'"):
        read_config({"replay_size": 50, "buffer_size": 60})
