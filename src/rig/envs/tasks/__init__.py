"""The built-in tasks, one module each, and how to find a task by its name."""

from importlib import import_module

import gymnasium

from rig.envs.registration import ENTRY_POINT
from rig.envs.task import HAND, METRES, RADIANS, Region, Score, States, Task
from rig.envs.tasks.door import DOOR, DOOR_RESET_FREE
from rig.envs.tasks.pick_and_place import PICK_AND_PLACE
from rig.envs.tasks.push import (
    PUSH,
    PUSH_ANY,
    PUSH_BAR,
    PUSH_DARK,
    PUSH_GREY,
    PUSH_PATTERN,
    PUSH_RESET_FREE,
    PUSH_SAME,
    PUSH_TWO,
    PUSH_WIDE,
)
from rig.envs.tasks.reach import REACH
from rig.envs.tasks.rope import ROPE, ROPE_COLOURS, ROPE_PICK
from rig.errors import TaskError, suggest


TASKS = (
    REACH,
    PUSH,
    PUSH_WIDE,
    PUSH_TWO,
    PUSH_ANY,
    PUSH_GREY,
    PUSH_DARK,
    PUSH_PATTERN,
    PUSH_SAME,
    PUSH_BAR,
    PUSH_RESET_FREE,
    DOOR,
    DOOR_RESET_FREE,
    PICK_AND_PLACE,
    ROPE,
    ROPE_COLOURS,
    ROPE_PICK,
)

__all__ = [
    "DOOR",
    "DOOR_RESET_FREE",
    "HAND",
    "METRES",
    "PICK_AND_PLACE",
    "PUSH",
    "PUSH_ANY",
    "PUSH_BAR",
    "PUSH_DARK",
    "PUSH_GREY",
    "PUSH_PATTERN",
    "PUSH_RESET_FREE",
    "PUSH_SAME",
    "PUSH_TWO",
    "PUSH_WIDE",
    "RADIANS",
    "REACH",
    "ROPE",
    "ROPE_COLOURS",
    "ROPE_PICK",
    "TASKS",
    "Region",
    "Score",
    "States",
    "Task",
    "find_task",
    "gymnasium_id",
    "is_external",
    "short_name",
]


def find_task(name: str) -> Task:
    """Return the task called ``name``: ``Push``, ``push`` and ``rig/Push-v0`` are the same.

    A task from another package is called ``MODULE:ID``, as in Gymnasium: the module that
    registers it, and the id that it registers.

    Raises:
        TaskError: There is no such task.
    """
    if ":" in name:
        return registered_task(*name.split(":", 1))
    asked = name.lower().removeprefix("rig/").removesuffix("-v0")
    for task in TASKS:
        if task.name.lower() == asked:
            return task
    hint = suggest(name, (task.name for task in TASKS))
    raise TaskError(f"there is no task {name!r}: {hint}")


def registered_task(module: str, id_: str) -> Task:
    """Return the task that a module registers under this id."""
    try:
        import_module(module)
        spec = gymnasium.spec(id_)
    except (ImportError, gymnasium.error.Error) as error:
        raise TaskError(
            f"task '{module}:{id_}' can't be found ({error}): MODULE must be importable and "
            "call rig.envs.register_task"
        ) from error
    if spec.entry_point != ENTRY_POINT:
        raise TaskError(
            f"'{module}:{id_}' is an environment, but not a rig task: train it with --env"
        )
    task = spec.kwargs["task"]
    return task if isinstance(task, Task) else find_task(task)


def is_external(name: str) -> bool:
    """Check whether the name is that of an external environment, and not of a task."""
    try:
        find_task(name)
    except TaskError:
        return True
    return False


def short_name(name: str) -> str:
    """Return the name of a task in a run's settings: ``Push``, or ``MODULE:ID``."""
    task = find_task(name)
    return name if ":" in name else task.name


def gymnasium_id(name: str) -> str:
    """Return the id by which ``gymnasium.make`` and ``make_vec`` find the task."""
    return name if ":" in name else find_task(name).id
