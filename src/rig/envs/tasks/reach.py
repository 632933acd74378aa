"""Reach: move the hand.

One difference from the original, as in every task: distances are measured in the plane. The
original measured in three dimensions against a goal at another height, so that no distance was
below 3 to 4 cm.
"""

from rig.envs.task import HAND, METRES, Region, Task
from rig.envs.viewpoint import Camera


BOX = Region(low=(-0.2, 0.5), high=(0.2, 0.7))

REACH = Task(
    name="Reach",
    description="Move the hand.",
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
