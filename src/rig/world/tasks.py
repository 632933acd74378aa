"""The tasks: what is on the table, where it starts, which goals are asked for.

A task is a scene file and a record on this page; lengths are in metres. Its *state* is the
positions of its objects, in the order in which ``objects`` names their joints. The state is for
setting the scene and for evaluation: nothing that learns sees it.

    Reach      move the hand
    Push       push a puck, Skew-Fit's goals      (Pong et al. 2020, arXiv 1903.03698)
    PushWide   push a puck, RIG's wider goals     (Nair et al. 2018, arXiv 1807.04742)

Differs from both: distances are measured in the plane. The originals measured the hand in three
dimensions against a goal at another height, which put a floor of 3 to 4 cm under the number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from rig.errors import TaskError, name_the_nearest
from rig.world.camera import Camera
from rig.world.scene import Scene


HAND = ("hand_x", "hand_y")
PUCK = ("puck_x", "puck_y")

States = Float64[np.ndarray, "N state"]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A box with sides along the axes; corners included."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def sample(self, num: int, *, rng: np.random.Generator) -> Float64[np.ndarray, "num axes"]:
        """Points drawn uniformly."""
        return rng.uniform(self.low, self.high, (num, len(self.low)))

    def clip(self, points: Float64[np.ndarray, "num axes"]) -> Float64[np.ndarray, "num axes"]:
        """The nearest points of the region."""
        return np.clip(points, self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one task asks for, and how its scene is seen."""

    name: str
    """As in ``rig/Push-v0``."""
    scene: str
    """The scene file, without its ``.xml``."""
    camera: Camera
    """What the robot sees through."""
    objects: Mapping[str, tuple[str, ...]]
    """Each object's joints in the scene; the hand first."""
    hand_box: Region
    """Where the hand may go."""
    start: tuple[float, ...]
    """The state after a reset."""
    goals: Mapping[str, Region]
    """Where each object's goals are drawn from."""
    num_steps: int
    """An episode's length."""

    @property
    def id(self) -> str:
        """The name under which Gymnasium knows this task."""
        return f"rig/{self.name}-v0"

    @property
    def joints(self) -> tuple[str, ...]:
        """The joints whose positions are the state, in its order."""
        return tuple(joint for joints in self.objects.values() for joint in joints)

    @property
    def columns(self) -> dict[str, slice]:
        """Where in the state each object's numbers are."""
        ends = np.cumsum([len(joints) for joints in self.objects.values()]).tolist()
        starts = [0, *ends[:-1]]
        return {
            name: slice(*ends) for name, *ends in zip(self.objects, starts, ends, strict=True)
        }

    def sample_goals(self, num: int, *, rng: np.random.Generator) -> States:
        """Goal states, uniform for each object, that the scene can be in.

        Where the hand would be inside something, the hand alone is drawn again: the objects'
        goals stay uniform.
        """
        states = np.concatenate(
            [self.goals[name].sample(num, rng=rng) for name in self.objects], axis=1
        )
        scene = Scene(self.scene, self.joints)
        impossible = scene.overlapping(states)
        while impossible.any():
            redrawn = self.goals["hand"].sample(int(impossible.sum()), rng=rng)
            states[impossible, self.columns["hand"]] = redrawn
            impossible[impossible] = scene.overlapping(states[impossible])
        return states

    def distances(self, states: States, goals: States) -> dict[str, Float64[np.ndarray, " N"]]:
        """How far each object is from its goal, in metres: ``hand_m``, ``puck_m``."""
        return {
            f"{name}_m": np.linalg.norm(states[:, column] - goals[:, column], axis=1)
            for name, column in self.columns.items()
        }


PUSH_CAMERA = Camera(
    lookat_m=(0.0, 0.85, 0.2), distance_m=0.3, elevation_deg=-45, azimuth_deg=270
)

REACH = Task(
    name="Reach",
    scene="reach",
    camera=Camera(
        lookat_m=(0.0, 0.85, 0.3), distance_m=0.4, elevation_deg=-35, azimuth_deg=270
    ),
    objects={"hand": HAND},
    hand_box=Region(low=(-0.2, 0.5), high=(0.2, 0.7)),
    start=(0.0, 0.5),
    goals={"hand": Region(low=(-0.2, 0.5), high=(0.2, 0.7))},
    num_steps=50,
)

PUSH = Task(
    name="Push",
    scene="push",
    camera=PUSH_CAMERA,
    objects={"hand": HAND, "puck": PUCK},
    hand_box=Region(low=(-0.1, 0.55), high=(0.1, 0.65)),
    start=(0.0, 0.55, 0.0, 0.6),
    goals={
        "hand": Region(low=(-0.1, 0.55), high=(0.1, 0.65)),
        "puck": Region(low=(-0.15, 0.5), high=(0.15, 0.7)),
    },
    num_steps=50,
)

PUSH_WIDE = Task(
    name="PushWide",
    scene="push",
    camera=PUSH_CAMERA,
    objects={"hand": HAND, "puck": PUCK},
    hand_box=Region(low=(-0.1, 0.5), high=(0.1, 0.7)),
    start=(0.0, 0.5, 0.0, 0.6),
    goals={
        "hand": Region(low=(-0.05, 0.55), high=(0.05, 0.65)),
        "puck": Region(low=(-0.2, 0.5), high=(0.2, 0.7)),
    },
    num_steps=100,
)

TASKS = (REACH, PUSH, PUSH_WIDE)


def find_task(name: str) -> Task:
    """The task called ``name``: ``Push``, ``push`` and ``rig/Push-v0`` are the same."""
    asked = name.lower().removeprefix("rig/").removesuffix("-v0")
    for task in TASKS:
        if task.name.lower() == asked:
            return task
    hint = name_the_nearest(name, (task.name for task in TASKS))
    raise TaskError(f"there is no task {name!r}: {hint}")
