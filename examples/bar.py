"""A task of your own: push a bar to a goal position and direction.

python examples/bar.py goals.png                 # save images of some goals
PYTHONPATH=examples rig train bar:mine/Bar-v0
"""

import sys
from pathlib import Path

import gymnasium

from rig.envs import register_task
from rig.envs.tasks import HAND, METRES, PUSH, RADIANS, Region, Task
from rig.report.image_grid import save_image_grid


BAR = Task(
    namespace="mine",
    name="Bar",
    scene=Path(__file__).with_name("bar.xml"),
    camera=PUSH.camera,
    objects={HAND: ("hand_x", "hand_y"), "bar": ("bar_x", "bar_y"), "turn": ("bar_turn",)},
    hand_box=Region(low=(-0.2, 0.48), high=(0.2, 0.72)),
    start=(0.0, 0.5, 0.0, 0.6, 0.0),
    goals={
        HAND: Region(low=(-0.1, 0.5), high=(0.1, 0.7)),
        "bar": Region(low=(-0.1, 0.55), high=(0.1, 0.65)),
        "turn": Region(low=(-1.0,), high=(1.0,)),
    },
    scores={HAND: METRES, "bar": METRES, "turn": RADIANS},
    num_steps=100,
)
register_task(BAR)

if __name__ == "__main__":
    envs = gymnasium.make_vec(BAR.id, num_envs=6)
    observation, _ = envs.reset(seed=0)
    rows = {"start": observation["observation"], "goals": observation["desired_goal"]}
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "goals.png")
    save_image_grid(path, rows, "A bar to push and to turn")
    envs.close()
