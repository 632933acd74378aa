"""Makes the tasks known to Gymnasium; importing this is enough.

Gymnasium finds the environments of other packages in one way only (since 1.0 it reads no entry
points): it imports the module that is named before the colon, and expects that to register.
This is therefore the one module of ours in which something happens at import::

    gymnasium.make("rig.envs.registration:rig/Push-v0")
    gymnasium.make_vec("rig.envs.registration:rig/Push-v0", num_envs=16)

A module of one's own that calls :func:`register_task` is found in the same way, by Gymnasium
and by the command line. Nothing heavy is imported here: the entry points are text, and the ids
are spelled out.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry


if TYPE_CHECKING:
    from rig.envs.task import Task


ENTRY_POINT = "rig.envs.tabletop_env:TabletopEnv"
"""What makes one world of a task; an environment that others make is no task."""
IDS = (
    "rig/Reach-v0",
    "rig/Push-v0",
    "rig/PushWide-v0",
    "rig/PushTwo-v0",
    "rig/PushAny-v0",
    "rig/PushResetFree-v0",
    "rig/Door-v0",
    "rig/DoorResetFree-v0",
    "rig/PickAndPlace-v0",
    "rig/Rope-v0",
)


def register_task(task: "Task", *, tuned_for: str = "") -> None:
    """Register a task under its id, in place of any task already registered under it.

    Args:
        task: The task.
        tuned_for: A task of ours, as ``PushTwo``, whose settings of presets suit this one.
    """
    if tuned_for:
        task = replace(task, tuned_for=tuned_for)
    registry.pop(task.id, None)
    _register(task.id, task)


def register() -> None:
    """Registers every task of ours; twice does no harm."""
    for id_ in IDS:
        if id_ not in registry:
            _register(id_, id_)


def _register(id_: str, task: Any) -> None:
    """As one world and as a batch of worlds."""
    register_id(
        id_,
        entry_point=ENTRY_POINT,
        vector_entry_point="rig.envs.tabletop_env:TabletopVectorEnv",
        kwargs={"task": task},
    )


register()
