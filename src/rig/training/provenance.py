"""Checks that what a run was trained with is what is installed here now.

A policy knows one camera's images of one task; with others it fails without a message. A run
that resumes to the same bytes needs the same packages, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rig.config import Config
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.errors import RunError
from rig.runs.run import Run
from rig.settings import flat
from rig.training.origin import surroundings


OBSERVATIONS = ("camera", "image_size", "reference_picture_sha256")
"""What must be the same for a policy to work, whatever its goal."""
SNAPSHOT = ("task", *OBSERVATIONS)
"""The same, and the task that it learned."""
PROGRAMS = ("device", "num_cores", "python", "packages")
"""What must be the same besides for the same bytes."""
SHOWN_LENGTH = 24
"""Longer values, as hashes, are cut in messages."""


def check_same_observations(run: Run, config: Config, *, force: bool) -> None:
    """Raise RunError if this run's policy learned from other images than there are here.

    Args:
        run: Whose policy it is.
        config: Where it is used: the run's own settings, or those with another task, which must
            look the same.
        force: Use it anyway.
    """
    if force:
        return  # what is here costs a scene and an image
    names = SNAPSHOT if config.task == run.config.task else OBSERVATIONS
    different = differences(run.origin(), surroundings(config), names)
    if different:
        raise RunError(
            f"{run.directory} learned under another {'; another '.join(different)}: its policy "
            "has not learned what it would see here; --force to use it anyway"
        )


def check_reproducible(run: Run, *, force: bool) -> None:
    """Raise RunError if this run can't resume here to the same bytes."""
    different = differences(run.origin(), surroundings(run.config), SNAPSHOT + PROGRAMS)
    if different and not force:
        raise RunError(
            f"{run.directory} was begun under another {'; another '.join(different)}: it would "
            "not end with the same bytes; --force to resume anyway"
        )


def differences(
    then: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]
) -> list[str]:
    """Return what is recorded and has changed, in words.

    An image is compared if the ray caster took it: a camera never takes the same one twice.
    """
    before, here = (flat({name: known.get(name) for name in names}) for known in (then, now))
    if then.get("camera") != ImageGoalVectorEnv.renderer:
        before.pop("reference_picture_sha256", None)
    return [
        f"{name} ({shown(value)}, now {shown(here.get(name))})"
        for name, value in before.items()
        if value is not None and here.get(name) != value
    ]


def shown(value: object) -> str:
    """Return a value as text, short enough for one line."""
    text = str(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH // 2]}…"
