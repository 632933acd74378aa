"""The tabletop: many copies of one scene, moved and seen together.

A world alone and a world among others give the same bytes, on any number of threads.
"""

from collections.abc import Sequence

import mujoco
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from rig.envs.camera import RayCamera
from rig.envs.scene import Scene
from rig.envs.task import Task
from rig.envs.thread_pool import ThreadPool
from rig.errors import DivergedError, ImageError, TaskError


STEP_M = 0.02
"""How far the hand moves in a step, per unit of action."""
STEP_S = 0.1
"""How long that takes it."""

Images = UInt8[np.ndarray, "N H W 3"]
States = Float64[np.ndarray, "N state"]
Actions = Float32[np.ndarray, "N action"]


class Tabletop:
    """``num_envs`` copies of a task's scene. Every array that it returns is a fresh one."""

    def __init__(
        self, task: Task, num_envs: int, image_size: int = 48, num_threads: int | None = None
    ) -> None:
        """Makes the worlds, and resets them.

        Args:
            task: What is on the table.
            num_envs: How many copies of it.
            image_size: Pictures are square, of this many pixels.
            num_threads: By default one per core that this process may use.
        """
        _refuse_less_than_one(num_envs=num_envs, image_size=image_size)
        self.task = task
        self.num_envs = num_envs
        self.image_size = image_size
        self._num_axes = len(task.hand_box.low)
        self.action_size = task.action_size
        self.state_size = len(task.start)
        self._scene = Scene(task.scene, task.joints, task.motors)
        self._num_substeps = round(STEP_S / self._scene.substep_s)
        self._datas = [self._scene.new_data() for _ in range(num_envs)]
        self._spares = [self._scene.new_data() for _ in range(num_envs)]
        self._camera = RayCamera(self._scene.model, task.camera, image_size)
        self._thread_pool = ThreadPool(num_threads)
        self._absent = np.zeros((num_envs, self.state_size), bool)
        self.reset()

    def reset(self) -> Images:
        """Puts every world at the task's start; the pictures of it."""
        return self.set_states(np.tile(self.task.start, (self.num_envs, 1)))

    def step(self, actions: Actions) -> Images:
        """Moves every hand by 2 cm per unit of action, inside its box; the pictures after that.

        Args:
            actions: Clipped to [-1, 1]. Those after the hand's set the motors: -1 is one end of
                a motor's range, 1 the other. Not modified.
        """
        self._refuse_shape("actions", actions, (self.num_envs, self.action_size))
        _refuse_not_finite("action", actions)
        moves, settings = np.split(np.clip(actions, -1.0, 1.0), [self._num_axes], axis=1)
        hands_m = self._scene.hands_m(self._datas)
        targets_m = self.task.hand_box.clip(hands_m + STEP_M * moves)
        self._thread_pool.each(
            self._scene.drive,
            self._datas,
            (targets_m - hands_m) / STEP_S,
            (settings.astype(float) + 1) / 2,
            [self._num_substeps] * self.num_envs,
        )
        return self._pictures(self._datas)

    @property
    def units(self) -> list[str]:
        """The unit of each number of a state: ``m`` or ``rad``."""
        return self._scene.units

    def look(self) -> Images:
        """Pictures of the worlds as they are."""
        return self._pictures(self._datas)

    def set_states(self, states: States) -> Images:
        """Puts every world at rest in a state; the pictures of it."""
        self._refuse_states(states, self.num_envs)
        self._absent = self.task.absent(states)
        return self._show(self._datas, states)

    def goal_images(self, states: States) -> Images:
        """Pictures of any number of states; the worlds stay as they are."""
        self._refuse_states(states, len(states))
        images = self._new_images(len(states))
        for first in range(0, len(states), self.num_envs):
            part = states[first : first + self.num_envs]
            images[first : first + len(part)] = self._show(self._spares[: len(part)], part)
        return images

    def states(self) -> States:
        """Every world's state: for evaluation, and never for learning."""
        states = np.array([self._scene.state(data) for data in self._datas])
        return np.where(self._absent, np.nan, states)

    def full_states(self) -> Float64[np.ndarray, "N memory"]:
        """All that decides how every world goes on: to be saved, and never for learning."""
        return np.array([self._scene.full_state(data) for data in self._datas])

    def set_full_states(self, states: Float64[np.ndarray, "N memory"]) -> None:
        """Puts every world where its memory says."""
        self._refuse_shape("states", states, self.full_states().shape)
        for data, numbers in zip(self._datas, states, strict=True):
            self._scene.set_full_state(data, numbers)

    def close(self) -> None:
        """Ends the threads."""
        self._thread_pool.close()

    def _show(self, datas: Sequence[mujoco.MjData], states: States) -> Images:
        """Puts these worlds at rest in these states; the pictures of them."""
        for data, state in zip(datas, states, strict=True):
            self._scene.set_state(data, state)
        return self._pictures(datas)

    def _pictures(self, datas: Sequence[mujoco.MjData]) -> Images:
        self._scene.pose(datas)
        images = self._new_images(len(datas))
        self._camera.images(datas, images, self._thread_pool)
        return images

    def _new_images(self, num: int) -> Images:
        return np.empty((num, self.image_size, self.image_size, 3), np.uint8)

    def _refuse_states(self, states: States, num: int) -> None:
        self._refuse_shape("states", states, (num, self.state_size))
        _refuse_not_finite("state", np.where(self.task.absent(states), 0.0, states))

    def _refuse_shape(self, what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise TaskError(
                f"{what} have shape {array.shape}: {self.task.id} takes {shape} here; give one "
                f"row per world (or goal)"
            )


def _refuse_less_than_one(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ImageError(f"{name} is {count}: it must be at least 1")


def _refuse_not_finite(what: str, rows: np.ndarray) -> None:
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        raise DivergedError(
            f"the {what} of world {broken[0]} is {rows[broken[0]].tolist()}: every number must "
            "be finite; look at what gave it, a network that diverged or a division by zero"
        )
