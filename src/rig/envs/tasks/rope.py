"""Rope: bring a rope into a goal shape.

::

    Rope          push it with one finger
    RopeColours   as Rope, with four colours, which show which end is which
    RopePick      take a point of it, carry it elsewhere, and let it go

The authors of RIG name deformable objects as future work; these tasks are new. A goal is a
gentle curve: its middle, its direction and its bends are drawn. The distance is the mean over
matching points along the rope.

A hand that knows where everything is leaves two fifths of the distance if it pushes with one
finger, and a seventh if it takes points: RopePick says more about learning.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from rig.envs.task import HAND, METRES, Distances, Region, Rows, Score, States, Task
from rig.envs.viewpoint import Camera


NUM_LINKS = 12
LINK_M = 0.022
"""Length of a link; the scene file has the same number."""
BENDS = tuple(f"bend_{index}" for index in range(1, NUM_LINKS))
NUM_JOINTS = 3 + len(BENDS)
"""Joints of the rope: place, turn, and bends."""
MOST_BEND_RAD = 0.3
"""Largest angle of one hinge in a goal; the scene allows three times as much."""


def points_m(rope: Rows) -> Float64[np.ndarray, "N points 2"]:
    """Compute the ends of the links, in order, from the positions of a rope's joints."""
    headings_rad = np.cumsum(rope[:, 2:], axis=1)
    steps_m = LINK_M * np.stack([np.cos(headings_rad), np.sin(headings_rad)], axis=-1)
    start_m = rope[:, None, :2]
    return np.concatenate([start_m, start_m + np.cumsum(steps_m, axis=1)], axis=1)


def mean_point_distance(rope: Rows, goals: Rows) -> Distances:
    """Compute the mean distance of matching points."""
    return np.linalg.norm(points_m(rope) - points_m(goals), axis=2).mean(axis=1)


def gentle_curves(states: States, _rng: np.random.Generator) -> States:
    """Return goal states with gently bent ropes, at the drawn middles and directions.

    The bends at the ends and in the middle are as drawn; those between are interpolated.
    """
    rope, num = states[:, 2 : 2 + NUM_JOINTS], NUM_LINKS - 1
    positions = np.linspace(0, 2, num)
    weights = np.clip(1 - np.abs(positions - np.arange(3)[:, None]), 0, 1)
    middle_m, turn_rad = rope[:, :2].copy(), rope[:, 2].copy()
    rope[:, 3:] = rope[:, [3, 3 + num // 2, -1]] @ weights
    rope[:, :3] = 0
    rope[:, 2] = turn_rad - np.cumsum(rope[:, 3:], axis=1).mean(axis=1)
    rope[:, :2] = middle_m - points_m(rope).mean(axis=1)
    return states


BOX = Region(low=(-0.2, 0.48), high=(0.2, 0.72))

ROPE = Task(
    name="Rope",
    description="Push the rope into a goal shape, with one finger.",
    scene="rope",
    camera=Camera(
        lookat_m=(0.0, 0.85, 0.2), distance_m=0.3, elevation_deg=-45, azimuth_deg=270
    ),
    objects={
        HAND: ("hand_x", "hand_y"),
        "rope": ("rope_x", "rope_y", "rope_turn", *BENDS),
    },
    hand_box=BOX,
    start=(0.0, 0.5, -NUM_LINKS * LINK_M / 2, 0.6, *([0.0] * NUM_LINKS)),
    goals={
        HAND: BOX,
        "rope": Region(
            low=(-0.05, 0.55, -0.6, *([-MOST_BEND_RAD] * len(BENDS))),
            high=(0.05, 0.65, 0.6, *([MOST_BEND_RAD] * len(BENDS))),
        ),
    },
    arrange=gentle_curves,
    scores={HAND: METRES, "rope": Score(distance=mean_point_distance, points_m=points_m)},
    num_steps=100,
)

QUARTERS_RGB = ((0.10, 0.38, 0.92), (0.10, 0.62, 0.30), (0.95, 0.75, 0.15), (0.80, 0.25, 0.65))

ROPE_COLOURS = replace(
    ROPE,
    name="RopeColours",
    description="Push a rope of four colours into a goal shape, with one finger.",
    colours={
        f"link_{index + 1}": QUARTERS_RGB[index * len(QUARTERS_RGB) // NUM_LINKS]
        for index in range(NUM_LINKS)
    },
)

ROPE_PICK = replace(
    ROPE,
    name="RopePick",
    description="Take points of the rope and carry them, until it has a goal shape.",
    scene="rope_pick",
    objects={**ROPE.objects, "grip": ("left_finger", "right_finger")},
    motors=("grip",),
    start=(*ROPE.start, 0.0, 0.0),
    goals={**ROPE.goals, "grip": Region(low=(0.0, 0.0), high=(0.0, 0.0))},
    num_steps=100,
)
