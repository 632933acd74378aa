import json
import re
import subprocess
import sys
from dataclasses import asdict

import pytest

from rig.config import (
    CollectConfig,
    Config,
    EvaluateConfig,
    ExploreConfig,
    GoalConfig,
    GoalMixture,
    OnlineConfig,
    RewardConfig,
    TD3Config,
    VAEConfig,
)
from rig.errors import ConfigError
from rig.presets import PRESETS, find_preset
from rig.runs.settings import from_dict


REFUSED = [
    (CollectConfig, {"num_images": 0}, "num_images must be at least 1, got 0"),
    (
        CollectConfig,
        {"action_correlation": 1.0},
        "action_correlation must be in [0, 1), got 1.0",
    ),
    (VAEConfig, {"latent_dim": 0}, "latent_dim must be >= 1, got 0"),
    (VAEConfig, {"beta": -1.0}, "beta must be at least 0, got -1.0"),
    (VAEConfig, {"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
    (VAEConfig, {"batch_size": 0}, "batch_size must be at least 1, got 0"),
    (VAEConfig, {"num_fit_steps": -1}, "num_fit_steps must be >= 0, got -1"),
    (VAEConfig, {"channels": (32, 0)}, "channels must be 2 positive numbers, got (32, 0)"),
    (
        VAEConfig,
        {"likelihood": "gaussian", "blur_sigmas_px": (2.0, 0.0)},
        "blur_sigmas_px must be above 0, got (2.0, 0.0)",
    ),
    (VAEConfig, {"blur_sigmas_px": (2.0,)}, "likelihood bernoulli takes architecture patches"),
    (VAEConfig, {"architecture": "keypoints"}, "choose gaussian"),
    (
        VAEConfig,
        {"architecture": "keypoints", "likelihood": "gaussian", "latent_dim": 5},
        "places take two latents each, so latent_dim 5 must be even",
    ),
    (OnlineConfig, {"every_steps": -1}, "every_steps must be at least 0, got -1"),
    (OnlineConfig, {"num_fit_steps": 0}, "num_fit_steps must be >= 1, got 0"),
    (GoalMixture, {"kept": 0.2}, "sum to 1, got 1.1 (original=0.2, future=0.4, prior=0.5)"),
    (GoalMixture, {"kept": -0.1, "future": 0.6}, "goal shares must be non-negative"),
    (RewardConfig, {"min_std": 0.0}, "min_std must be above 0, got 0.0"),
    (RewardConfig, {"sparse_threshold": 0.0}, "sparse_threshold must be above 0, got 0.0"),
    (TD3Config, {"hidden_sizes": ()}, "hidden_sizes must name at least one layer"),
    (TD3Config, {"hidden_sizes": (8, 0)}, "hidden_sizes must be positive, got (8, 0)"),
    (TD3Config, {"target_policy_noise": -1.0}, "must be at least 0, got -1.0 and 0.5"),
    (
        VAEConfig,
        {"num_components": 0},
        "num_components and hidden_size must be at least 1, got 0",
    ),
    (TD3Config, {"learning_rate": -1e-3}, "learning_rate must be above 0, got -0.001"),
    (TD3Config, {"gamma": 1.0}, "gamma must be in [0, 1), got 1.0"),
    (TD3Config, {"gamma": float("nan")}, "gamma must be in [0, 1), got nan"),
    (TD3Config, {"tau": 0.0}, "tau must be in (0, 1], got 0.0"),
    (TD3Config, {"batch_size": 0}, "batch_size must be at least 1, got 0"),
    (TD3Config, {"utd_ratio": -0.5}, "utd_ratio must be at least 0, got -0.5"),
    (TD3Config, {"channels": (16,)}, "channels must be empty or 2 positive numbers, got (16,)"),
    (TD3Config, {"channels": (16, 0)}, "2 positive numbers, got (16, 0)"),
    (GoalConfig, {"per_rollout": 0}, "per_rollout must be at least 1, got 0"),
    (RewardConfig, {"pixel_threshold": 0.0}, "pixel_threshold must be above 0, got 0.0"),
    (TD3Config, {"policy_delay": 0}, "policy_delay must be at least 1, got 0"),
    (ExploreConfig, {"sigma": -0.1}, "sigma must be at least 0, got -0.1"),
    (ExploreConfig, {"theta": 1.5}, "theta must be in [0, 1], got 1.5"),
    (ExploreConfig, {"random_eps": 2.0}, "random_eps must be in [0, 1], got 2.0"),
    (EvaluateConfig, {"every_steps": 0}, "every_steps must be at least 1, got 0"),
    (EvaluateConfig, {"num_goals": 0}, "num_goals must be at least 1, got 0"),
    (EvaluateConfig, {"num_probes": 99}, "num_probes must be at least 100, got 99"),
    (Config, {"seed": -1}, "seed must be at least 0, got -1"),
    (Config, {"total_timesteps": 0}, "total_timesteps must be >= 1, got 0"),
    (Config, {"num_envs": 0}, "num_envs must be at least 1, got 0"),
    (Config, {"buffer_size": 0}, "buffer_size must be at least 1, got 0"),
    (
        Config,
        {"oracle": True, "reward": RewardConfig(kind="pixel_sparse")},
        "an oracle sees no pictures, and reward.kind pixel_sparse compares them",
    ),
]
ALLOWED = [
    (CollectConfig, {"num_images": 1, "action_correlation": 0.0}),
    (VAEConfig, {"beta": 0.0, "num_fit_steps": 0, "batch_size": 1}),
    (GoalMixture, {"kept": 0.0, "future": 0.0, "imagined": 1.0}),
    (TD3Config, {"gamma": 0.0, "tau": 1.0, "utd_ratio": 0.0, "policy_delay": 1}),
    (ExploreConfig, {"sigma": 0.0, "theta": 1.0, "random_eps": 1.0}),
    (Config, {"seed": 0, "total_timesteps": 1, "num_envs": 1, "image_size": 84}),
]


@pytest.mark.parametrize(("kind", "values", "message"), REFUSED)
def test_setting_out_of_its_range_is_refused_with_its_value(kind, values, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        kind(**values)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("Config(image_size=50)", "image_size must be 48 or 84, got 50"),
        ("VAEConfig(channels=())", "channels must be 2 positive numbers, got ()"),
    ],
)
def test_what_no_network_takes_is_refused_where_nothing_checks_types(code, message):
    code = f"from rig.config import Config, VAEConfig; {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert f"ConfigError: {message}" in done.stderr


@pytest.mark.parametrize(("kind", "values"), ALLOWED)
def test_ends_of_a_range_are_allowed(kind, values):
    assert {name: getattr(kind(**values), name) for name in values} == values


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
        ({"explore": {"xyzzy": 1}}, "known: kind, random_eps, sigma, theta"),
    ],
)
def test_unknown_key_names_the_nearest_known_one(values, message):
    with pytest.raises(ConfigError, match=message):
        from_dict(Config, values)


def test_missing_keys_take_their_defaults():
    assert from_dict(Config, {"td3": {"gamma": 0.5}}) == Config(td3=TD3Config(gamma=0.5))


def test_lists_become_tuples_again():
    assert from_dict(VAEConfig, {"channels": [4, 8]}).channels == (4, 8)


def test_loaded_choice_is_one_of_the_choices():
    with pytest.raises(ConfigError, match="'latnt' is none of latent, root"):
        from_dict(Config, {"reward": {"kind": "latnt"}})


def test_loaded_settings_are_checked_too():
    with pytest.raises(ConfigError, match="gamma must be in"):
        from_dict(Config, {"td3": {"gamma": 2.0}})


def test_tasks_with_more_to_see_get_more_places_for_it():
    assert find_preset("fast", "rig/PickAndPlace-v0").vae.latent_dim == 24
    assert find_preset("fast", "Rope").vae.latent_dim == 24
    assert find_preset("fast", "Push").vae == find_preset("fast", "Reach").vae
    assert find_preset("paper", "Rope").vae == find_preset("paper", "Push").vae


@pytest.mark.parametrize("task", ["PushTwo", "rig/PushAny-v0", "Rope"])
def test_goals_are_more_and_less_odd_where_much_moves(task):
    goals = find_preset("fast", task).goals
    assert (goals.skew, goals.per_rollout) == (-0.5, 2)
    assert find_preset("paper", task).goals == find_preset("paper", "Push").goals
    goals = find_preset("fast", "Push").goals
    assert (goals.skew, goals.per_rollout) == (-1, 1)


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("Push", "sparse"),
        ("rig/PushWide-v0", "sparse"),
        ("DoorResetFree", "sparse"),
        ("Reach", "sqrt_distance"),
        ("PickAndPlace", "sqrt_distance"),
        ("PushTwo", "sqrt_distance"),
        ("PushAny", "sqrt_distance"),
    ],
)
def test_reward_is_sparse_where_the_hand_moves_one_thing(task, kind):
    assert find_preset("fast", task).reward.kind == kind
    assert find_preset("paper", task).reward.kind == "latent"
