"""PickAndPlace: move a block to a goal position, on the table or above it.

The hand moves in the upright plane x = 0, which the camera sees from the side. The third action
is the gripper, from open (-1) to closed (1).
"""

import numpy as np

from rig.envs.task import HAND, METRES, Region, States, Task
from rig.envs.viewpoint import Camera


HELD_SHARE = 0.75
"""Share of goals in which the block is held; in the others it lies on the table."""
HOLD_BELOW_M = 0.03
"""Distance of a held block's middle below the hand's position."""
LYING_M = 0.02
"""Height of a lying block's middle."""
OPEN_M, HOLDING_M = 0.0, 0.02
"""Travel of each finger."""


def hold_or_lie(states: States, rng: np.random.Generator) -> States:
    """Return goal states in which the block is held, or lies where it was drawn."""
    is_held = rng.random(len(states)) < HELD_SHARE
    hand, block, grip = slice(0, 2), slice(2, 4), slice(4, 6)
    held_m = states[:, hand] - [0, HOLD_BELOW_M]
    lying_m = np.stack([states[:, block.start], np.full(len(states), LYING_M)], axis=1)
    states[:, block] = np.where(is_held[:, None], held_m, lying_m)
    states[:, grip] = np.where(is_held[:, None], HOLDING_M, OPEN_M)
    return states


BOX = Region(low=(0.55, 0.05), high=(0.65, 0.13))

PICK_AND_PLACE = Task(
    name="PickAndPlace",
    description="Move the block to a goal position, on the table or above it.",
    scene="pick_and_place",
    camera=Camera(lookat_m=(0.0, 0.67, 0.1), distance_m=0.7, elevation_deg=0, azimuth_deg=180),
    objects={
        HAND: ("hand_y", "hand_z"),
        "block": ("block_y", "block_z"),
        "grip": ("near_finger", "far_finger"),
    },
    hand_box=BOX,
    motors=("grip",),
    start=(0.6, 0.13, 0.6, LYING_M, OPEN_M, OPEN_M),
    goals={
        HAND: BOX,
        "block": Region(low=(0.55, LYING_M), high=(0.65, 0.13 - HOLD_BELOW_M)),
        "grip": Region(low=(OPEN_M, OPEN_M), high=(HOLDING_M, HOLDING_M)),
    },
    arrange=hold_or_lie,
    scores={HAND: METRES, "block": METRES},
    num_steps=50,
)
