"""Step sixteen environments of Push with random actions, and save their images.

python examples/random_actions.py images.png
"""

import sys
from pathlib import Path

import gymnasium
import numpy as np

import rig.envs  # noqa: F401 (registers the tasks)
from rig.report.image_grid import save_image_grid


NUM_STEPS = 10


def main(path: Path) -> None:
    """Act at random for a second, and save images of the start and the end."""
    envs = gymnasium.make_vec("rig/Push-v0", num_envs=16)
    observation, _ = envs.reset(seed=0)
    first = observation["observation"]
    rng = np.random.default_rng(0)
    for _ in range(NUM_STEPS):
        actions = rng.uniform(-1, 1, (16, 2)).astype(np.float32)
        observation, _reward, _terminated, _truncated, info = envs.step(actions)
    rows = {"start": first[:6], "end": observation["observation"][:6]}
    save_image_grid(path, rows, "Six of sixteen environments")
    print("puck to goal:", np.round(info["puck_distance_m"][:6] * 100, 1), "cm")
    envs.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "images.png"))
