"""Registers the tasks with Gymnasium, as :mod:`rig.envs` does when it is imported.

::

    import rig.envs

    gymnasium.make("rig/Push-v0")
    gymnasium.make_vec("rig/Push-v0", num_envs=16)

Gymnasium reads no entry points since 1.0. Without the import, name the module before a colon:
``gymnasium.make("rig.envs:rig/Push-v0")``. A module that calls :func:`register_task` is found
in the same way, by Gymnasium and by the command line.

Nothing heavy is imported here: entry points are text, and the ids are written out.
"""

from typing import TYPE_CHECKING, Any

from gymnasium.envs.registration import register, registry


if TYPE_CHECKING:
    from rig.envs.task import Task


ENTRY_POINT = "rig.envs.single_env:TabletopEnv"
"""Makes one environment of a task; environments with another entry point are external."""
VECTOR_ENTRY_POINT = "rig.envs.tabletop_env:TabletopVectorEnv"
NUM_STEPS = {
    "rig/Reach-v0": 50,
    "rig/Push-v0": 50,
    "rig/PushWide-v0": 100,
    "rig/PushTwo-v0": 100,
    "rig/PushAny-v0": 100,
    "rig/PushGrey-v0": 50,
    "rig/PushDark-v0": 50,
    "rig/PushPattern-v0": 50,
    "rig/PushSame-v0": 100,
    "rig/PushBar-v0": 100,
    "rig/PushResetFree-v0": 50,
    "rig/Door-v0": 100,
    "rig/DoorResetFree-v0": 100,
    "rig/PickAndPlace-v0": 50,
    "rig/Rope-v0": 100,
    "rig/RopeColours-v0": 100,
    "rig/RopePick-v0": 100,
}
"""Steps of an episode, by id."""
IDS = tuple(NUM_STEPS)


def register_task(task: "Task") -> None:
    """Register a task under its id, in place of any task already registered under it."""
    registry.pop(task.id, None)
    _register(task.id, task, task.num_steps)


def _register(id_: str, task: Any, num_steps: int) -> None:
    register(
        id_,
        entry_point=ENTRY_POINT,
        vector_entry_point=VECTOR_ENTRY_POINT,
        max_episode_steps=num_steps,
        kwargs={"task": task},
    )


for _id, _num_steps in NUM_STEPS.items():
    if _id not in registry:
        _register(_id, _id, _num_steps)
