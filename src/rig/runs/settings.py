"""Settings in words: what they change of a preset, and what a run learned from."""

from dataclasses import asdict, replace
from typing import Any

from rig.config import Config
from rig.presets import PAPER, PRESETS, find_preset
from rig.runs.old_names import check_not_gone, with_new_names
from rig.settings import flat, from_dict


NAMED_CHANGES = 6
"""More changes to a preset than this are only counted."""
GIVES_TRUTH = ("oracle", "input", "reward.distance")
"""Settings that no preset changes: a run that did was given the true state."""


def read_config(values: dict[str, Any]) -> Config:
    """Return the settings in a run's config.json, of this version or an older one.

    Raises:
        ConfigError: A key is unknown, or a value is of the wrong kind, out of its range, or
            of an older version that could do what this one can't.
    """
    values = with_new_names(values)
    check_not_gone(flat(values))
    return from_dict(Config, values)


def preset_of(config: Config) -> str:
    """Return the nearest preset and how the settings differ from it, in words."""
    name = nearest_preset(config)
    changed = changes_from(name, config)
    if not changed:
        return f"{name} preset"
    if len(changed) > NAMED_CHANGES:
        truths = {key: changed[key] for key in GIVES_TRUTH if key in changed}
        among = f", among them {settings_in_words(truths)}" if truths else ""
        return f"{name} preset with {len(changed)} settings changed{among}"
    return f"{name} preset with {settings_in_words(changed)}"


def settings_in_words(values: dict[str, Any]) -> str:
    """Return settings and their values in words."""
    return ", ".join(f"{key} {value}" for key, value in values.items())


def learned_from(config: Config) -> str:
    """Return what a run learned from, in words. It always says if the true state was given."""
    if config.oracle:
        return "the true state (oracle)"
    seen = "the true state" if config.input == "true" else "camera images"
    if not config.is_hybrid:
        return f"{seen} alone"
    return f"{seen}, rewarded by {config.reward.distance} distance (a true-state ablation)"


def nearest_preset(config: Config) -> str:
    """Return the name of the preset that differs least."""
    return min(PRESETS, key=lambda name: len(changes_from(name, config)))


def changes_from(preset: str, config: Config) -> dict[str, Any]:
    """Return the settings that differ from a preset's; the seed does not count."""
    return differences(find_preset(preset, config.task), config)


def changes_from_published(config: Config) -> dict[str, Any]:
    """Return the settings that differ from RIG's as published, but for task and seed.

    Presets may change in later versions. The published settings do not.
    """
    return differences(replace(PAPER, task=config.task), config)


def differences(standard: Config, config: Config) -> dict[str, Any]:
    """Return the settings that differ; the seed does not count."""
    usual = flat(asdict(replace(standard, seed=config.seed)))
    return {key: v for key, v in flat(asdict(config)).items() if usual[key] != v}
