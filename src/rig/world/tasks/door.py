"""A door to open and shut.

::

    Door            pull or push a door to an angle           (Nair et al. 2018)
    DoorResetFree   the same, but it stays as it was left between the episodes of practice

The hand ends in a hook and moves in three dimensions. Differs from the original: the panel
ends at the table, where the original's goes on below it.
"""

from dataclasses import replace

from rig.world.camera import Camera
from rig.world.task import HAND, METRES, RADIANS, Region, Task


BOX = Region(low=(-0.1, 0.45, 0.1), high=(0.05, 0.65, 0.25))

DOOR = Task(
    name="Door",
    about="Bring the door to an angle, with a hook.",
    scene="door",
    camera=Camera(
        lookat_m=(-0.2, 0.55, 0.6), distance_m=0.25, elevation_deg=-60, azimuth_deg=360
    ),
    objects={HAND: ("hand_x", "hand_y", "hand_z"), "door": ("door",)},
    hand_box=BOX,
    start=(-0.05, 0.635, 0.225, 0.0),
    goals={HAND: BOX, "door": Region(low=(0.0,), high=(0.83,))},
    scores={HAND: METRES, "door": RADIANS},
    num_steps=100,
)

DOOR_RESET_FREE = replace(
    DOOR,
    name="DoorResetFree",
    about="Bring the door to an angle; nothing is put back between the episodes of practice.",
    is_put_back=False,
)
