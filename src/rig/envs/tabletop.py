"""The tabletop: a batch of copies of one scene, stepped and rendered together.

Each copy gives the same bytes alone, in any batch and on any number of threads.
"""

from collections.abc import Sequence

import mujoco
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from rig.envs.camera import RayCamera
from rig.envs.patterns import Pattern
from rig.envs.scene import Scene
from rig.envs.task import Task
from rig.envs.thread_pool import ThreadPool
from rig.errors import DivergedError, ImageError, TaskError


STEP_M = 0.02
"""Motion of the hand in one step, per unit of action."""
STEP_S = 0.1
"""Duration of one step."""

Images = UInt8[np.ndarray, "N H W 3"]
States = Float64[np.ndarray, "N state"]
Actions = Float32[np.ndarray, "N action"]


class Tabletop:
    """``num_envs`` copies of a task's scene. Every array that it returns is a new one."""

    def __init__(
        self, task: Task, num_envs: int, image_size: int = 48, num_threads: int | None = None
    ) -> None:
        """Make the copies, and reset them.

        Args:
            task: The scene, the start and the camera.
            num_envs: Number of copies.
            image_size: Width and height of an image in pixels.
            num_threads: By default one per core that this process may use.
        """
        _check_at_least_one(num_envs=num_envs, image_size=image_size)
        self.task = task
        self.num_envs = num_envs
        self.image_size = image_size
        self._num_axes = len(task.hand_box.low)
        self.action_size = task.action_size
        self.state_size = len(task.start)
        self._scene = Scene(task.scene, task.joints, task.motors, task.colours)
        self._num_substeps = round(STEP_S / self._scene.substep_s)
        self._datas = [self._scene.new_data() for _ in range(num_envs)]
        self._spare_datas = [self._scene.new_data() for _ in range(num_envs)]
        self.camera = RayCamera(
            self._scene.model,
            task.camera,
            image_size,
            patterns=self._scene.by_geom(task.patterns),
        )
        self._thread_pool = ThreadPool(num_threads)
        self._absent = np.zeros((num_envs, self.state_size), bool)
        self.reset()

    def reset(self) -> Images:
        """Put every copy at the task's start, and return the images."""
        return self.set_states(np.tile(self.task.start, (self.num_envs, 1)))

    def step(self, actions: Actions) -> Images:
        """Move each hand by 2 cm per unit of action, inside its box, and return the images.

        Args:
            actions: Clipped to [-1, 1]. Those after the hand's set the motors: -1 is one end of
                a motor's range, 1 the other. Not modified.
        """
        self._check_shape("actions", actions, (self.num_envs, self.action_size))
        _check_finite("action", actions)
        moves, settings = np.split(np.clip(actions, -1.0, 1.0), [self._num_axes], axis=1)
        hands_m = self._scene.hands_m(self._datas)
        targets_m = self.task.hand_box.clip(hands_m + STEP_M * moves)
        self._thread_pool.map(
            self._scene.move_hand,
            self._datas,
            (targets_m - hands_m) / STEP_S,
            (settings.astype(float) + 1) / 2,
            [self._num_substeps] * self.num_envs,
        )
        return self.images()

    @property
    def units(self) -> list[str]:
        """The unit of each number of a state: ``m`` or ``rad``."""
        return self._scene.units

    def paint(self, pattern: Pattern) -> None:
        """Give every geom that never moves a pattern, where it has none."""
        self.camera.paint(dict.fromkeys(self._scene.static_geoms, pattern))

    def images(self) -> Images:
        """Render the copies as they are."""
        return self._render(self._datas)

    def set_states(
        self, states: States, mask: Bool[np.ndarray, " num_envs"] | None = None
    ) -> Images:
        """Put copies at rest in their row of the states, and return the images.

        Args:
            states: One state for each copy.
            mask: Which copies; by default all. The others stay as they are.
        """
        self._check_states(states, self.num_envs)
        mask = np.ones(self.num_envs, bool) if mask is None else mask
        self._absent[mask] = self.task.absent(states)[mask]
        for row in np.flatnonzero(mask):
            self._scene.set_state(self._datas[row], states[row])
        return self.images()

    def goal_images(self, states: States) -> Images:
        """Render any number of states; the copies stay as they are."""
        self._check_states(states, len(states))
        images = self._new_images(len(states))
        for first in range(0, len(states), self.num_envs):
            part = states[first : first + self.num_envs]
            images[first : first + len(part)] = self._render_states(
                self._spare_datas[: len(part)], part
            )
        return images

    def states(self) -> States:
        """Return the state of every copy, for evaluation and never for learning."""
        states = np.array([self._scene.state(data) for data in self._datas])
        return np.where(self._absent, np.nan, states)

    def full_states(self) -> Float64[np.ndarray, "N full_state"]:
        """Return all that decides the next steps; save it, never learn from it."""
        return np.array([self._scene.full_state(data) for data in self._datas])

    def set_full_states(self, states: Float64[np.ndarray, "N full_state"]) -> None:
        """Restore full states; the next steps give the same bytes."""
        self._check_shape("states", states, self.full_states().shape)
        for data, numbers in zip(self._datas, states, strict=True):
            self._scene.set_full_state(data, numbers)

    def close(self) -> None:
        """Stop the threads."""
        self._thread_pool.close()

    def _render_states(self, datas: Sequence[mujoco.MjData], states: States) -> Images:
        """Put each data at rest in a state, and return the images."""
        for data, state in zip(datas, states, strict=True):
            self._scene.set_state(data, state)
        return self._render(datas)

    def _render(self, datas: Sequence[mujoco.MjData]) -> Images:
        self._scene.pose(datas)
        images = self._new_images(len(datas))
        self.camera.images(datas, images, self._thread_pool)
        return images

    def _new_images(self, num: int) -> Images:
        return np.empty((num, self.image_size, self.image_size, 3), np.uint8)

    def _check_states(self, states: States, num: int) -> None:
        self._check_shape("states", states, (num, self.state_size))
        _check_finite("state", np.where(self.task.absent(states), 0.0, states))

    def _check_shape(self, what: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise TaskError(
                f"{what} have shape {array.shape}: {self.task.id} takes {shape} here; give one "
                "row per environment (or goal)"
            )


def _check_at_least_one(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ImageError(f"{name} is {count}: it must be at least 1")


def _check_finite(what: str, rows: np.ndarray) -> None:
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        raise DivergedError(
            f"the {what} of environment {broken[0]} is {rows[broken[0]].tolist()}, which is "
            "not finite: check what computed it, such as a network that diverged"
        )
