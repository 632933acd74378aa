"""Door: open and close a door.

::

    Door            pull or push the door to a goal angle     (Nair et al. 2018)
    DoorResetFree   as Door, but the door is not reset between training episodes

The hand is a hook that moves in three dimensions. One difference from the original: the panel
ends at the table, where the original's extends below it.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from rig.envs.task import HAND, METRES, RADIANS, Region, States, Task
from rig.envs.viewpoint import Camera


HINGE_M = (0.21, 0.725)
"""Position of the hinge seen from above; the scene file has the same numbers."""


def is_in_front(states: States) -> Bool[np.ndarray, " N"]:
    """Mark states that have the hand on the robot's side of the door.

    The hand's box ends below the door's upper edge and before its free edge, so the hand can't
    get behind it. The original has no goals there, since its goal images come from a policy.
    """
    from_hinge_m, angle_rad = states[:, :2] - HINGE_M, states[:, 3]
    in_front_m = from_hinge_m[:, 0] * np.sin(angle_rad) - from_hinge_m[:, 1] * np.cos(angle_rad)
    return in_front_m > 0


BOX = Region(low=(-0.1, 0.45, 0.1), high=(0.05, 0.65, 0.25))

DOOR = Task(
    name="Door",
    description="Move the door to a goal angle, with a hook.",
    scene="door",
    camera=Camera(
        lookat_m=(-0.2, 0.55, 0.6), distance_m=0.25, elevation_deg=-60, azimuth_deg=360
    ),
    objects={HAND: ("hand_x", "hand_y", "hand_z"), "door": ("door",)},
    hand_box=BOX,
    start=(-0.05, 0.635, 0.225, 0.0),
    goals={HAND: BOX, "door": Region(low=(0.0,), high=(0.83,))},
    is_within_reach=is_in_front,
    scores={HAND: METRES, "door": RADIANS},
    num_steps=100,
)

DOOR_RESET_FREE = replace(
    DOOR,
    name="DoorResetFree",
    description="Move the door to a goal angle; it is not reset between training episodes.",
    is_reset_free=True,
)
