"""The presets: RIG as published, the default, what the default was before, a baseline.

``OVERRIDES`` says which settings a task changes of each.
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
    reward=RewardConfig(kind="auto"),
    td3=TD3Config(
        hidden_sizes=(256, 256),
        layer_norm=True,
        num_critics=1,
        gamma=0.95,
        utd_ratio=2.0,
        final_lr_fraction=0.1,
    ),
    explore=ExploreConfig(kind="gaussian", sigma=0.2, random_eps=0.2),
)
"""The default: it sees by quantile keypoints, imagines goals thing by thing, and practice
decides which reward it has."""

KEYPOINTS = replace(
    FAST,
    vae=replace(FAST.vae, architecture="keypoints", latent_dim=16, whiten_floor=0.02),
    goals=replace(FAST.goals, source="skewed", by_thing=0.0),
    reward=RewardConfig(kind="sqrt_distance"),
)
"""The default before that: it sees the mean place of each color, and the task's name decides
which reward it has. Most of docs/results.md is about it."""

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

PRESETS = {"paper": PAPER, "fast": FAST, "keypoints": KEYPOINTS, "her": HER}

MANY_OBJECTS: dict[str, Any] = {"goals.skew": -0.5, "goals.per_rollout": 2}
"""Where many objects move, nearly every image is rare, and full skew would aim at oddities.
Two goals a rollout let practice start from more than one place."""
ONE_OBJECT: dict[str, Any] = {"reward.kind": "sparse"}
"""Where the hand moves one object, practice often comes near a goal in everything that moves.
A reward that only says so does not keep the hand from leaving its own goal to put the object
right. Where many objects move, it is too rare."""
MANY_LATENTS: dict[str, Any] = {"vae.latent_dim": 24}
"""Enough positions for what these tasks have in view."""

REACH: dict[str, Any] = {"total_timesteps": 20_000, "evaluate.every_steps": 4000}
"""It is learned sooner."""

OVERRIDES: dict[str, dict[str, dict[str, Any]]] = {
    "paper": {"Reach": {"total_timesteps": 10_000, "evaluate.every_steps": 4000}},
    "fast": {"Reach": REACH},
    "keypoints": {
        "Reach": REACH,
        **dict.fromkeys(
            ("Push", "PushWide", "PushResetFree", "Door", "DoorResetFree"), ONE_OBJECT
        ),
        **dict.fromkeys(("PushTwo", "PushAny"), MANY_OBJECTS),
        "PickAndPlace": MANY_LATENTS,
        **dict.fromkeys(("Rope", "RopeColours"), MANY_LATENTS | MANY_OBJECTS),
    },
    "her": {"Reach": REACH},
}
"""What a task changes of a preset: preset, then task, then setting. Exact names only: every
other environment gets the plain preset."""
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
OUR_MODULES = ("", "rig.envs", "rig.envs.registration")
"""Modules before the colon in the name of a task of ours."""


def find_preset(
    name: str, task: str, tuned_for: str = "", *, is_real_robot: bool = False
) -> Config:
    """Return a preset for a task.

    Args:
        name: The preset.
        task: The task, or anyone's environment; it becomes ``config.task``.
        tuned_for: Take the settings that this task of ours changes, not the task's own.
        is_real_robot: Whether a real robot practises.

    Raises:
        ConfigError: There is no such preset, or no task of ours of the name ``tuned_for``.
    """
    if name not in PRESETS:
        raise ConfigError(f"unknown preset {name!r}: {suggest(name, PRESETS)}")
    if tuned_for and not short_task_name(tuned_for):
        raise ConfigError(f"no preset is tuned for {tuned_for!r}: {suggest(tuned_for, TUNED)}")
    config = change(replace(PRESETS[name], task=task), overrides(name, tuned_for or task))
    return change(config, REAL_ROBOT) if is_real_robot else config


def overrides(preset: str, task: str) -> dict[str, Any]:
    """Return what a task changes of a preset, by dotted name; nothing for external envs."""
    return OVERRIDES[preset].get(short_task_name(task), {})


def describe(preset: str, task: str, tuned_for: str = "") -> str:
    """Return in one line what a preset means for a task."""
    row = tuned_for or task
    changes = ", ".join(f"{key}={value}" for key, value in overrides(preset, row).items())
    return f"{preset}, with {short_task_name(row)}'s {changes}" if changes else preset


def short_task_name(task: str) -> str:
    """Return which of the tasks with settings of their own a name means, or nothing.

    ``Push``, ``push``, ``rig/Push-v0`` and ``rig.envs:rig/Push-v0`` mean the same. The names of
    other environments mean nothing, however similar they are.
    """
    module, _, id_ = task.rpartition(":")
    asked = id_.lower().removeprefix("rig/").removesuffix("-v0")
    return TUNED_LOWER.get(asked, "") if module in OUR_MODULES else ""


TUNED = sorted({task for rows in OVERRIDES.values() for task in rows})
"""Tasks with settings of their own in any preset."""
TUNED_LOWER = {task.lower(): task for task in TUNED}
