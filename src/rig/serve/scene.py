"""A task's scene, whose things a person moves in the picture to make a goal.

The page needs to know where a thing is drawn, so that it can be taken hold of there. Positions
are affine in the sliding joints, and the camera is a projection: one 3 x N matrix says it all.
A hinge moves on an arc, which is given as points.
"""

from dataclasses import dataclass
from threading import Lock
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Float64, UInt8

from rig.envs.scene import Scene as Model
from rig.envs.tabletop import Tabletop
from rig.envs.task import HAND, Task
from rig.goals.goal_image import GoalImage
from rig.serve.errors import RequestError


LARGE_PX = 480
"""Width and height of the image that is drawn for people."""
NUM_ARC_POINTS = 25
MARGIN_SHARE = 0.5
"""A thing may be put this share of its practised region outside of it."""
State = Float64[np.ndarray, " state"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """Something that can be moved: numbers of the state, and where they are drawn."""

    name: str
    joints: tuple[dict[str, Any], ...]
    """For each: name, unit, low, high, start."""
    to_pixels: Float64[np.ndarray, "3 columns"] | None
    """From the joints' positions and 1 to homogeneous pixels, in shares of the image's side."""
    arc: Float64[np.ndarray, "points 3"] | None
    """For a hinge: angle, and the pixel it is drawn at."""

    def as_json(self) -> dict[str, Any]:
        """Return what the page needs."""
        return {
            "name": self.name,
            "joints": self.joints,
            "to_pixels": self.to_pixels,
            "arc": self.arc,
        }


class Scene:
    """One copy of the scene to draw goals in; several threads may use it."""

    def __init__(self, task: Task, image_size: int) -> None:
        self.task = task
        self._lock = Lock()
        self._small = Tabletop(task, 1, image_size, 1)
        self._large = Tabletop(task, 1, LARGE_PX, 1)
        self._model = Model(task.scene, task.joints, task.motors)
        self._data = self._model.new_data()
        units = self._small.units
        self.things = [
            self._thing(name, column, units[column]) for name, column in task.columns.items()
        ]

    def state_of(self, things: dict[str, Any]) -> State:
        """Return the state with these things moved from the start; None takes one away.

        Raises:
            RequestError: A thing is unknown, or its numbers are out of range.
        """
        state = np.array(self.task.start, np.float64)
        for name, numbers in things.items():
            thing = next((thing for thing in self.things if thing.name == name), None)
            if thing is None:
                raise bad_thing(f"there is no {str(name)[:40]!r} in {self.task.name}")
            if numbers is None and name in self.task.presence:
                state[self.task.columns[name]] = np.nan
            else:
                state[self.task.columns[name]] = checked(thing, numbers)
        return state

    def problem(self, state: State) -> tuple[str, str] | None:
        """Return why a state can't be a goal, as a code and a sentence; None if it can."""
        with self._lock:
            if self._model.overlapping(state[None])[0]:
                return "overlap", "Two things overlap there. Move them apart."
        hand = state[self.task.columns[HAND]]
        is_inside = np.array_equal(self.task.hand_box.clip(hand[None])[0], hand)
        is_ok = self.task.is_within_reach is None or self.task.is_within_reach(state[None])[0]
        if not (is_inside and is_ok):
            return "out_of_reach", "The hand can't get there. Move it back."
        return None

    def notes(self, state: State) -> list[str]:
        """Return sentences about things that lie where goals were never drawn."""
        outside = []
        for name, region in self.task.goals.items():
            numbers = state[self.task.columns[name]]
            if np.isfinite(numbers).all() and not np.array_equal(
                region.clip(numbers[None])[0], numbers
            ):
                outside.append(name.replace("_", " "))
        return [
            f"The {name} lies outside the region that goals are tested in." for name in outside
        ]

    def draw_large(self, state: State) -> UInt8[np.ndarray, "H W 3"]:
        """Return a large image of a state."""
        with self._lock:
            return self._large.goal_images(state[None])[0]

    def goal_image(self, state: State) -> GoalImage:
        """Return a state as the robot's camera would show it.

        Raises:
            RequestError: Things overlap, or the hand can't get there.
        """
        if found := self.problem(state):
            raise RequestError(422, *found)
        with self._lock:
            image = self._small.goal_images(state[None])[0]
        return GoalImage(image=image, changes=(), task=self.task.id, state=state)

    def _thing(self, name: str, column: slice, units: list[str]) -> Thing:
        region = self.task.hand_box if name == HAND else self.task.goals[name]
        margin = 0.0 if name == HAND or len(units) < 2 else MARGIN_SHARE
        joints = tuple(
            joint_of(joint, unit, (low, high), start, margin if unit == "m" else 0.0)
            for joint, unit, low, high, start in zip(
                self.task.joints[column],
                units,
                region.low,
                region.high,
                self.task.start[column],
                strict=True,
            )
        )
        num_sliding = len(units) if "rad" not in units else units.index("rad")
        is_place = num_sliding >= 2 and name not in self.task.motors
        places = list(range(*column.indices(len(self.task.start))))
        return Thing(
            name=name,
            joints=joints,
            to_pixels=self._projection(places[:num_sliding]) if is_place else None,
            arc=self._arc(places[0], joints[0]) if units == ["rad"] else None,
        )

    def _projection(self, places: list[int]) -> Float64[np.ndarray, "3 columns"]:
        """Return the matrix from sliding joints' positions and 1 to homogeneous pixels."""
        origin = np.array(self.task.start)
        origin[places] = 0
        zero_m = self._middle_m(origin, places[-1])
        steps_m = []
        for place in places:
            moved = origin.copy()
            moved[place] = 1
            steps_m.append(self._middle_m(moved, places[-1]) - zero_m)
        camera = self.task.camera
        offset_m = zero_m - camera.position_m()
        in_camera = np.linalg.inv(camera.axes().T) @ np.column_stack([*steps_m, offset_m])
        right, down, ahead = in_camera
        return np.stack([(right + ahead) / 2, (down + ahead) / 2, ahead])

    def _arc(self, place: int, joint: dict[str, Any]) -> Float64[np.ndarray, "points 3"]:
        """Return angles of a hinge, each with the pixel at which the thing is drawn."""
        rows = []
        for angle_rad in np.linspace(joint["low"], joint["high"], NUM_ARC_POINTS):
            state = np.array(self.task.start)
            state[place] = angle_rad
            rows.append([angle_rad, *self._pixel(self._middle_m(state, place))])
        return np.array(rows)

    def _pixel(self, point_m: Float64[np.ndarray, "3"]) -> Float64[np.ndarray, "2"]:
        camera = self.task.camera
        right, down, ahead = np.linalg.inv(camera.axes().T) @ (point_m - camera.position_m())
        return np.array([(right / ahead + 1) / 2, (down / ahead + 1) / 2])

    def _middle_m(self, state: State, place: int) -> Float64[np.ndarray, "3"]:
        """Return the middle of the body that a joint moves, in a state."""
        model = self._model.model
        self._model.set_state(self._data, state)
        mujoco.mj_kinematics(model, self._data)
        body = model.joint(self.task.joints[place]).bodyid[0]
        geoms = np.flatnonzero(model.geom_bodyid == body)
        if not len(geoms):
            return self._data.xpos[body].copy()
        return self._data.geom_xpos[geoms].mean(axis=0)


def joint_of(
    name: str, unit: str, region: tuple[float, float], start: float, margin: float
) -> dict[str, Any]:
    """Return a joint as the page needs it: its unit, its limits and its start."""
    low, high = region
    wider = margin * (high - low)
    return {
        "name": name,
        "unit": unit,
        "low": min(low - wider, start),
        "high": max(high + wider, start),
        "start": start,
    }


def checked(thing: Thing, numbers: Any) -> list[float]:
    """Return the numbers of a thing; raise RequestError if they are not what it takes."""
    is_list = isinstance(numbers, list) and len(numbers) == len(thing.joints)
    if not is_list or not all(type(number) in (int, float) for number in numbers):
        raise bad_thing(f"{thing.name} takes {len(thing.joints)} numbers")
    for joint, number in zip(thing.joints, numbers, strict=True):
        if not joint["low"] <= number <= joint["high"]:
            raise bad_thing(
                f"{joint['name']} must be {joint['low']:g} to {joint['high']:g}, got {number:g}"
            )
    return [float(number) for number in numbers]


def bad_thing(what: str) -> RequestError:
    """Return the error for things that are not of this scene."""
    return RequestError(422, "bad_thing", what, "see GET /api/runs/ID/scene")
