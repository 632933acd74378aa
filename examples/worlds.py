"""Sixteen worlds of Push as Gymnasium environments: random actions, pictures out.

python examples/worlds.py sheet.png
"""

import sys
from pathlib import Path

import gymnasium
import numpy as np

from rig.report.image_grid import save_image_grid


NUM_STEPS = 10


def main(path: Path) -> None:
    """Lets every hand wander for a second, and draws what the cameras see."""
    base_envs = gymnasium.make_vec("rig.envs.registration:rig/Push-v0", num_envs=16)
    observation, _ = base_envs.reset(seed=0)
    first = observation["observation"]
    rng = np.random.default_rng(0)
    for _ in range(NUM_STEPS):
        actions = rng.uniform(-1, 1, (16, 2)).astype(np.float32)
        observation, _reward, _terminated, _truncated, info = base_envs.step(actions)
    rows = {"start": first[:6], "later": observation["observation"][:6]}
    save_image_grid(path, rows, "Sixteen worlds, six of them shown")
    print("the puck is", np.round(info["puck_distance_m"][:6] * 100, 1), "cm from its goals")
    base_envs.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
