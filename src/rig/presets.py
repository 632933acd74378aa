"""The presets: as published, what learns soonest here, and the baseline end to end.

A task in which there is less or more to see changes a preset by what the tables below say.
"""

from dataclasses import replace

from rig.config import (
    CollectConfig,
    Config,
    EvaluateConfig,
    ExploreConfig,
    GoalConfig,
    GoalMixture,
    RewardConfig,
    TD3Config,
    VAEConfig,
)
from rig.errors import ConfigError, suggest


PAPER = Config()
"""RIG as published (Nair et al. 2018), as far as docs/algorithm.md says."""

FAST = replace(
    PAPER,
    total_timesteps=150_000,
    collect=CollectConfig(num_images=5000),
    vae=VAEConfig(
        architecture="keypoints",
        latent_dim=16,
        likelihood="gaussian",
        beta=0.1,
        batch_size=64,
        num_fit_steps=1000,
        whiten_floor=0.02,
    ),
    goals=GoalConfig(
        source="skewed",
        refresh_every_steps=4000,
        mixture=GoalMixture(original=0.2, future=0.5, prior=0.3),
    ),
    reward=RewardConfig(kind="sqrt_distance"),
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
"""What learns soonest here."""

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
"""Hindsight from pixels, end to end: the baseline of Nair et al. 2018, section 5, with what
lets it learn here, as docs/algorithm.md says."""

PRESETS = {"paper": PAPER, "fast": FAST, "her": HER}

REACH_STEPS = {"paper": 10_000, "fast": 20_000, "her": 20_000}
"""Environment steps of a run of Reach, in which there is less to learn."""
REACH_EVALUATION_EVERY_STEPS = 4000
LATENT_SIZES = {"pickandplace": 24, "rope": 24}
"""Latents that name enough places for what a task has in view, where `fast` has too few."""
MANY_THINGS = ("pushtwo", "pushany", "rope")
"""Tasks in which much moves."""
GENTLE_SKEW = -0.5
"""Where much moves, nearly everything seen is rare, and `fast` would aim at oddities."""
GOALS_PER_ROLLOUT = 2
"""Where much moves, practice has to begin from more than one place."""
ONE_THING = ("push", "door")
"""Tasks in which the hand moves one thing, unless they are in MANY_THINGS. There practice often
comes near a goal in all that moves, and a reward that tells only this does not hold the hand
back from leaving its own place to put the thing right. Where much moves it tells too rarely."""


def find_preset(name: str, task: str) -> Config:
    """The preset of that name, for that task.

    Raises:
        ConfigError: No preset has that name.
    """
    if name not in PRESETS:
        raise ConfigError(f"unknown preset {name!r}: {suggest(name, PRESETS)}")
    preset = for_number_of_things(
        task, with_latents_for(task, replace(PRESETS[name], task=task))
    )
    if "reach" not in task.lower():
        return preset
    evaluate = EvaluateConfig(every_steps=REACH_EVALUATION_EVERY_STEPS)
    return replace(preset, total_timesteps=REACH_STEPS[name], evaluate=evaluate)


def with_latents_for(task: str, preset: Config) -> Config:
    """The preset with as many latents as the task needs, if its latents are places."""
    size = next((size for name, size in LATENT_SIZES.items() if name in task.lower()), None)
    if size is None or preset.vae.architecture != "keypoints":
        return preset
    return replace(preset, vae=replace(preset.vae, latent_dim=size))


def for_number_of_things(task: str, preset: Config) -> Config:
    """`fast` with more goals, and less odd ones, if much moves; sparse if one thing does."""
    if preset.goals.source != "skewed":
        return preset
    if any(name in task.lower() for name in MANY_THINGS):
        goals = replace(preset.goals, skew=GENTLE_SKEW, per_rollout=GOALS_PER_ROLLOUT)
        return replace(preset, goals=goals)
    if any(name in task.lower() for name in ONE_THING):
        return replace(preset, reward=replace(preset.reward, kind="sparse"))
    return preset
