"""Push: push pucks over the table.

::

    Push            one puck, Skew-Fit's goals                    (Pong et al. 2020)
    PushWide        one puck, RIG's wider goals                   (Nair et al. 2018)
    PushTwo         two pucks
    PushAny         goals with no, one or two pucks; training always has both
    PushGrey        as Push, with a puck that is a darker shade of the table
    PushDark        as Push, with a puck of the fingers' colour
    PushPattern     as Push, with a puck of several colours on a table of several colours
    PushSame        as PushTwo, with pucks of one colour: which is which does not matter
    PushBar         a bar whose place and turn count
    PushResetFree   as Push, but the puck is not reset between training episodes; a low fence
                    keeps it where the hand can get behind it

Nair et al. 2018 (RIG) is arXiv 1807.04742, Pong et al. 2020 (Skew-Fit) arXiv 1903.03698.
"""

from dataclasses import replace

import numpy as np

from rig.envs.patterns import pie_slices, tiles
from rig.envs.task import HAND, METRES, Distances, Region, Rows, Score, Task
from rig.envs.viewpoint import Camera


HAND_JOINTS = ("hand_x", "hand_y")
CAMERA = Camera(lookat_m=(0.0, 0.85, 0.2), distance_m=0.3, elevation_deg=-45, azimuth_deg=270)
NARROW_BOX = Region(low=(-0.1, 0.55), high=(0.1, 0.65))
WIDE_BOX = Region(low=(-0.1, 0.5), high=(0.1, 0.7))
RIG_HAND_GOALS = Region(low=(-0.05, 0.55), high=(0.05, 0.65))

PUSH = Task(
    name="Push",
    description="Push the puck, with the goals of Skew-Fit.",
    scene="push",
    camera=CAMERA,
    objects={HAND: HAND_JOINTS, "puck": ("puck_x", "puck_y")},
    hand_box=NARROW_BOX,
    start=(0.0, 0.55, 0.0, 0.6),
    goals={HAND: NARROW_BOX, "puck": Region(low=(-0.15, 0.5), high=(0.15, 0.7))},
    scores={HAND: METRES, "puck": METRES},
    num_steps=50,
)

PUSH_WIDE = replace(
    PUSH,
    name="PushWide",
    description="Push the puck, with the wider goals of RIG.",
    hand_box=WIDE_BOX,
    start=(0.0, 0.5, 0.0, 0.6),
    goals={HAND: RIG_HAND_GOALS, "puck": Region(low=(-0.2, 0.5), high=(0.2, 0.7))},
    has_total=True,
    num_steps=100,
)

PUSH_TWO = replace(
    PUSH_WIDE,
    name="PushTwo",
    description="Push two pucks.",
    scene="push_two",
    objects={
        HAND: HAND_JOINTS,
        "puck_1": ("puck_1_x", "puck_1_y"),
        "puck_2": ("puck_2_x", "puck_2_y"),
    },
    start=(0.0, 0.5, 0.05, 0.6, -0.05, 0.6),
    goals={
        HAND: RIG_HAND_GOALS,
        "puck_1": Region(low=(0.0, 0.5), high=(0.2, 0.7)),
        "puck_2": Region(low=(-0.2, 0.5), high=(0.0, 0.7)),
    },
    scores={HAND: METRES, "puck_1": METRES, "puck_2": METRES},
)

PUSH_ANY = replace(
    PUSH_TWO,
    name="PushAny",
    description="Push no, one or two pucks; training always has both.",
    presence={"puck_1": 0.5, "puck_2": 0.5},
)

SHADED_TABLE_RGB = (0.62, 0.55, 0.46)
"""The table's hue, darker by a third. With the table's own colour, the top of a puck would give
the same image as the table."""
FINGER_RGB = (0.12, 0.12, 0.14)
PUCK_RGB = (0.10, 0.38, 0.92)
WHITE_RGB = (1.0, 1.0, 1.0)
"""Colours; those of things are in the scene files, too."""

PUSH_GREY = replace(
    PUSH,
    name="PushGrey",
    description="Push a puck that is a darker shade of the table.",
    colours={"puck": SHADED_TABLE_RGB},
)

PUSH_DARK = replace(
    PUSH,
    name="PushDark",
    description="Push a puck of the fingers' colour.",
    colours={"puck": FINGER_RGB},
)

PUSH_PATTERN = replace(
    PUSH,
    name="PushPattern",
    description="Push a puck of several colours on a table of several colours.",
    colours={"puck": WHITE_RGB, "table": WHITE_RGB},
    patterns={"puck": pie_slices, "table": tiles},
)


def best_matching(pucks: Rows, goals: Rows) -> Distances:
    """Compute the mean distance of two pucks from two goals, whichever puck is at which."""
    straight = np.linalg.norm((pucks - goals).reshape(-1, 2, 2), axis=2).mean(axis=1)
    crossed = np.linalg.norm((pucks[:, [2, 3, 0, 1]] - goals).reshape(-1, 2, 2), axis=2)
    return np.minimum(straight, crossed.mean(axis=1))


PUSH_SAME = replace(
    PUSH_TWO,
    name="PushSame",
    description="Push two pucks of one colour; which is which does not matter.",
    colours={"puck_2": PUCK_RGB},
    objects={
        HAND: HAND_JOINTS,
        "pucks": ("puck_1_x", "puck_1_y", "puck_2_x", "puck_2_y"),
    },
    goals={
        HAND: RIG_HAND_GOALS,
        "pucks": Region(low=(0.0, 0.5, -0.2, 0.5), high=(0.2, 0.7, 0.0, 0.7)),
    },
    scores={HAND: METRES, "pucks": Score(distance=best_matching)},
    has_total=False,
)


def half_turn_distance(turns: Rows, goals: Rows) -> Distances:
    """Compute the angle between turns, where half a turn looks like none."""
    apart = np.abs(turns - goals)[:, 0] % np.pi
    return np.minimum(apart, np.pi - apart)


PUSH_BAR = replace(
    PUSH,
    name="PushBar",
    description="Push a bar; its place and its turn count.",
    scene="push_bar",
    objects={HAND: HAND_JOINTS, "bar": ("bar_x", "bar_y"), "turn": ("bar_turn",)},
    hand_box=Region(low=(-0.2, 0.48), high=(0.2, 0.72)),
    start=(0.0, 0.5, 0.0, 0.58, 0.0),
    goals={
        HAND: Region(low=(-0.2, 0.48), high=(0.2, 0.72)),
        "bar": Region(low=(-0.1, 0.55), high=(0.1, 0.65)),
        "turn": Region(low=(-0.8,), high=(0.8,)),
    },
    scores={
        HAND: METRES,
        "bar": METRES,
        "turn": Score(unit="rad", distance=half_turn_distance),
    },
    num_steps=100,
)

PUSH_RESET_FREE = replace(
    PUSH,
    name="PushResetFree",
    description="Push the puck; it is not reset between training episodes.",
    scene="push_fenced",
    hand_box=Region(low=(-0.24, 0.44), high=(0.24, 0.76)),
    is_reset_free=True,
)
