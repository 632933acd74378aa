"""Robots that teach themselves, from camera images alone, to reach any goal image.

::

    import rig

    policy = rig.train("Reach", seed=0, out="runs/reach")
    action = policy.act(image, goal_image)
    policy.save_pretrained("reach")
    policy = rig.Policy.from_pretrained("reach")

Importing this registers the tasks with Gymnasium: ``gymnasium.make("rig/Push-v0")``. All else
is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any


try:
    from rig import envs
except ModuleNotFoundError as error:  # a robot's own Python has no Gymnasium
    if error.name != "gymnasium":
        raise

if TYPE_CHECKING:
    from rig.api import evaluate, load, resume, train
    from rig.config import Config
    from rig.external.action_bounds import ActionBounds
    from rig.inference.policy import Policy
    from rig.training.callback import TrainingProgress


__all__ = [
    "ActionBounds",
    "Config",
    "Policy",
    "TrainingProgress",
    "envs",
    "evaluate",
    "load",
    "resume",
    "train",
]

_MODULES = {
    "ActionBounds": "rig.external.action_bounds",
    "Config": "rig.config",
    "Policy": "rig.inference.policy",
    "TrainingProgress": "rig.training.callback",
    "evaluate": "rig.api",
    "load": "rig.api",
    "resume": "rig.api",
    "train": "rig.api",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module 'rig' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
