"""The presets: RIG as published, the default, a baseline.

None knows the name of a task: what suits a task shows in practice.
"""

from dataclasses import replace
from typing import Any

from rig.config import (
    CollectConfig,
    Config,
    ExploreConfig,
    GoalConfig,
    GoalMixture,
    RewardConfig,
    TD3Config,
    VAEConfig,
)
from rig.errors import ConfigError, suggest
from rig.settings import change


PAPER = Config()
"""RIG as published (Nair et al. 2018), as far as docs/algorithm.md says."""

FAST = replace(
    PAPER,
    total_timesteps=150_000,
    collect=CollectConfig(num_images=5000),
    vae=VAEConfig(
        architecture="quantile_keypoints",
        latent_dim=24,
        likelihood="gaussian",
        beta=0.1,
        batch_size=64,
        num_fit_steps=1000,
    ),
    goals=GoalConfig(
        source="composed",
        refresh_every_steps=4000,
        mixture=GoalMixture(original=0.2, future=0.5, prior=0.3),
        by_thing=0.5,
    ),
    reward=RewardConfig(kind="auto", by_thing=True),
    td3=TD3Config(
        hidden_sizes=(256, 256),
        layer_norm=True,
        num_critics=1,
        gamma="auto",
        n_steps="auto",
        utd_ratio=2.0,
        final_lr_fraction=0.1,
    ),
    explore=ExploreConfig(kind="gaussian", sigma=0.2, random_eps=0.2, random_duration="auto"),
)
"""The default: it sees by quantile keypoints, imagines goals thing by thing, and practice
decides which reward it has, and how far it looks ahead."""

HER = replace(
    PAPER,
    total_timesteps=48_000,
    buffer_size=10_000,
    collect=CollectConfig(num_images=2000),
    goals=GoalConfig(
        source="seen",
        refresh_every_steps=4000,
        mixture=GoalMixture(original=0.2, future=0.8, prior=0.0),
    ),
    reward=RewardConfig(kind="pixel_distance"),
    td3=TD3Config(
        hidden_sizes=(32, 32),
        channels=(16, 32),
        layer_norm=True,
        num_critics=1,
        gamma=0.95,
        utd_ratio=1.0,
        learning_starts=2000,
    ),
)
"""Hindsight from pixels, end to end: the baseline of Nair et al. 2018, section 5, with the
changes that docs/algorithm.md lists."""

PRESETS = {"paper": PAPER, "fast": FAST, "her": HER}

REAL_ROBOT: dict[str, Any] = {
    "total_timesteps": 20_000,
    "image_size": 84,
    "num_envs": 1,
    "collect.num_images": 2000,
    "goals.refresh_every_steps": 1000,
    "td3.learning_starts": 1000,
    "evaluate.num_goals": 10,
    "evaluate.every_steps": 5000,
    "evaluate.num_probes": 500,
    "checkpoint.every_steps": 500,
    "practice.delay": "settle",
}
"""What a real robot changes besides: its time is dear, there is only one, and what it shows is
late."""


def find_preset(name: str, task: str, *, is_real_robot: bool = False) -> Config:
    """Return a preset for a task.

    Args:
        name: The preset.
        task: The task, or anyone's environment; it becomes ``config.task``.
        is_real_robot: Whether a real robot practises.

    Raises:
        ConfigError: There is no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"unknown preset {name!r}: {suggest(name, PRESETS)}")
    config = replace(PRESETS[name], task=task)
    return change(config, REAL_ROBOT) if is_real_robot else config
