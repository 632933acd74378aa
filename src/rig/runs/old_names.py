"""What names of older versions are called now: files with the old ones can still be read."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rig.errors import ConfigError


SETTINGS = {
    "num_env_steps": "total_timesteps",
    "num_worlds": "num_envs",
    "replay_size": "buffer_size",
    "replay_memory_gb": "buffer_memory_gb",
    "collect.persistence": "collect.action_correlation",
    "vae.latent_size": "vae.latent_dim",
    "goals.mixture.kept": "goals.mixture.original",
    "goals.mixture.imagined": "goals.mixture.prior",
    "td3.warmup_steps": "td3.learning_starts",
    "td3.updates_per_step": "td3.utd_ratio",
    "td3.target_noise": "td3.target_policy_noise",
    "td3.final_learning_rate_share": "td3.final_lr_fraction",
    "explore.random_share": "explore.random_eps",
}
"""Settings, by their dotted names. Each is in the same group as before."""
CHOICES = {"reward.kind": {"root": "sqrt_distance"}}
"""Values of a setting."""
GONE = {
    ("vae.architecture", "keypoints"): 'this run sees by "keypoints", which rig no longer has'
}
"""Values of settings that rig no longer supports, and the error of a run that has one."""
FILES = {
    "env_states.safetensors": "worlds.safetensors",
    "coverage.safetensors": "witness.safetensors",
}
"""Files of a checkpoint: what older versions called them, by today's name."""
ARRAYS = {
    "['space']": "['representation']",
    "['vae'].base": "['vae'].mean_logits",
    "['vae'].canvas.": "['vae'].output_basis.",
    ".decoder.spread.": ".decoder.expand.",
    ".eyes.": ".features.",
    "memory": "env_states",
    "visited": "coverage",
}
"""Parts of the names of saved arrays."""
ABSENT = (".illumination.shaking_px",)
"""Ends of the names of saved numbers that older versions did not have: they are 0 then."""
OLD_IMAGES = "pictures"
"""The directory of a run that is called images now."""
COMMANDS = {"push": "upload", "pull": "download"}


def with_new_names(values: Mapping[str, Any], group: str = "") -> dict[str, Any]:
    """Return settings of any version, flat or nested, under the names of this one."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        key = SETTINGS.get(f"{group}{name}", f"{group}{name}")
        if isinstance(value, dict):
            value = with_new_names(value, f"{key}.") if is_group(key) else value
        elif isinstance(value, list):
            value = [new_choice(key, each) for each in value]
        new = key.removeprefix(group)
        result[name if new in values else new] = new_choice(key, value)
    return result


def new_choice(key: str, value: Any) -> Any:
    """Return a value of a setting as it is written now."""
    return CHOICES.get(key, {}).get(value, value) if isinstance(value, str) else value


def check_not_gone(settings: Mapping[str, Any]) -> None:
    """Raise ConfigError at a flat setting of a run whose value no longer exists."""
    for (key, value), problem in GONE.items():
        if settings.get(key) == value:
            raise ConfigError(
                f"{problem}: install the version that wrote it (its commit is in origin.json)"
            )


def is_group(key: str) -> bool:
    """Return whether a key has settings below it that were called something else."""
    return any(name.startswith(f"{key}.") for name in (*SETTINGS, *CHOICES))


def check_new_names(settings: Mapping[str, Any] | Iterable[str]) -> None:
    """Raise ConfigError at a flat setting, or its value, that is called something else now."""
    for key in settings:
        if key in SETTINGS:
            raise ConfigError(f"{key} is now called {SETTINGS[key]}")
        value = settings[key] if isinstance(settings, Mapping) else None
        if (new := new_choice(key, value)) != value:
            raise ConfigError(f"{key} {value} is now called {new}")


def find_file(directory: Path, name: str) -> Path:
    """Return the path of a checkpoint's file, under its old name if only that is there."""
    path, old = directory / name, directory / FILES[name]
    return path if path.is_file() or not old.is_file() else old


def current_array_name(name: str) -> str:
    """Return the name of a saved array as it is written now."""
    for old, new in ARRAYS.items():
        name = name.replace(old, new)
    return name


def is_new(name: str) -> bool:
    """Check whether older versions did not save a number, which was 0 then."""
    return name.endswith(ABSENT)
