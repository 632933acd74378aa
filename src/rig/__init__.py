"""Robots that teach themselves, from camera images alone, to reach any picture.

::

    policy = rig.load("runs/reach")
    action = policy.act(image, goal_image)
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from os import PathLike

    from rig.inference.policy import Policy


def load(path: str | PathLike[str]) -> Policy:
    """What a finished run has learned, or an export of one, ready to act.

    Raises:
        RunError: There is no such run, or it is damaged.
    """
    from pathlib import Path

    from rig.inference.policy import Policy

    return Policy(Path(path))
