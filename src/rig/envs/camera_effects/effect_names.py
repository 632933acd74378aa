"""The names of camera effects, and what ``webcam`` stands for."""

from collections.abc import Sequence, Set
from typing import get_args

from rig.config import CameraEffect
from rig.errors import suggest
from rig.validation import require


WEBCAM: Set[CameraEffect] = {*get_args(CameraEffect)} - {"webcam", "night"}
"""What ``webcam`` stands for."""


def effects_named(names: Sequence[str]) -> set[str]:
    """Return the effects that are named, and those of ``webcam`` if it is.

    Raises:
        ConfigError: There is no such effect, or none is named.
    """
    known = get_args(CameraEffect)
    require(len(names) > 0, f"name a camera effect: {', '.join(known)}")
    for name in names:
        require(name in known, f"there is no camera effect {name!r}: {suggest(name, known)}")
    return set(names) | (WEBCAM if "webcam" in names else set())
