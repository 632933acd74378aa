"""Push: push pucks over the table.

::

    Push            one puck, Skew-Fit's goals                    (Pong et al. 2020)
    PushWide        one puck, RIG's wider goals                   (Nair et al. 2018)
    PushTwo         two pucks
    PushAny         goals with no, one or two pucks; training always has both
    PushResetFree   as Push, but the puck is not reset between training episodes; a low fence
                    keeps it where the hand can get behind it

Nair et al. 2018 (RIG) is arXiv 1807.04742, Pong et al. 2020 (Skew-Fit) arXiv 1903.03698.
"""

from dataclasses import replace

from rig.envs.task import HAND, METRES, Region, Task
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

PUSH_RESET_FREE = replace(
    PUSH,
    name="PushResetFree",
    description="Push the puck; it is not reset between training episodes.",
    scene="push_fenced",
    hand_box=Region(low=(-0.24, 0.44), high=(0.24, 0.76)),
    is_reset_free=True,
)
