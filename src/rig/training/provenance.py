"""Whether what a run was trained with is what is here now.

A policy knows one camera's pictures of one task; of another's it knows nothing, and says
nothing. A run that goes on to the same bytes needs the same programs, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rig.config import Config
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.errors import RunError
from rig.runs.run import Run
from rig.settings import flat
from rig.training.origin import surroundings


PICTURES = ("camera", "image_size", "reference_picture_sha256")
"""What a policy needs to be the same, whatever it is asked for."""
SNAPSHOT = ("task", *PICTURES)
"""The same, and the task that it learned."""
PROGRAMS = ("device", "num_cores", "python", "packages")
"""What the same bytes need besides."""
SHOWN_LENGTH = 24
"""Longer values, as hashes, are cut when they are told."""


def check_same_observations(run: Run, config: Config, *, force: bool) -> None:
    """Raises RunError if this run's policy learned from other pictures than there are here.

    Args:
        run: Whose policy it is.
        config: Where it is to be used: the run's own settings, or those with another task,
            which must look the same.
        force: Use it all the same.
    """
    names = SNAPSHOT if config.task == run.config.task else PICTURES
    different = differences(run.origin(), surroundings(config), names)
    if different and not force:
        raise RunError(
            f"{run.directory} learned under another {'; another '.join(different)}: what its "
            "policy would see here it has not learned; --force to use it all the same"
        )


def check_reproducible(run: Run, *, force: bool) -> None:
    """Raises RunError if this run can't go on here to the same bytes."""
    different = differences(run.origin(), surroundings(run.config), SNAPSHOT + PROGRAMS)
    if different and not force:
        raise RunError(
            f"{run.directory} was begun under another {'; another '.join(different)}: it would "
            "not end with the same bytes; --force to go on all the same"
        )


def differences(
    then: Mapping[str, Any], now: Mapping[str, Any], names: Sequence[str]
) -> list[str]:
    """What is recorded and has changed, in words.

    A picture is compared if the ray caster took it: a camera never takes the same one twice.
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
    """A value, short enough for one line."""
    text = str(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH // 2]}…"
