"""Reach: move the hand.

Differs from the original: distances are measured in the plane. The original measured the hand
in three dimensions against a goal at another height, which put a floor of 3 to 4 cm under the
number. The same holds for every task.
"""

from rig.envs.camera import Camera
from rig.envs.task import HAND, METRES, Region, Task


BOX = Region(low=(-0.2, 0.5), high=(0.2, 0.7))

REACH = Task(
    name="Reach",
    about="Move the hand.",
    scene="reach",
    camera=Camera(
        lookat_m=(0.0, 0.85, 0.3), distance_m=0.4, elevation_deg=-35, azimuth_deg=270
    ),
    objects={HAND: ("hand_x", "hand_y")},
    hand_box=BOX,
    start=(0.0, 0.5),
    goals={HAND: BOX},
    scores={HAND: METRES},
    num_steps=50,
)
