"""How long the puck lies where the arm can't push it back: ``python -m benchmarks.robot_tray``.

    python -m benchmarks.robot_tray                     # an upright rim, then sides that slope
    python -m benchmarks.robot_tray --steps 6000

The simulated SO-101 practises at random with a tray and a puck, without resets, as in the case
``push`` of benchmarks.robot_learning. The tool can push the puck back if it can get behind it
inside its box, on every side. Server and client are in one process, in simulated time.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.robot_learning import (
    PUSH_HEIGHT_M,
    SLOPED_HEIGHT_M,
    SLOPED_OPTIONS,
    page_text,
    pinned,
)
from benchmarks.robot_push import Table
from rig.agent.explore import RandomPolicy


BEHIND_M = (0.034, 0.026)
"""From the middle of the puck to that of the tool behind it: half of both, along x and y."""
EPISODE_STEPS = 50
FEW_FRAMES = {"frame_rate_hz": 4.0, "jpeg_quality": 0}
"""Nothing looks at the images here, and most of the time would go into them."""
TRAYS: Mapping[str, tuple[float, Mapping[str, Any]]] = {
    "upright rim": (PUSH_HEIGHT_M, {}),
    "sides that slope": (SLOPED_HEIGHT_M, SLOPED_OPTIONS),
}
"""Pinned height of the tool, and options of the robot: above a slope the tool is higher."""


def main() -> None:
    """Measure both trays, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for name, (height_m, options) in TRAYS.items():
        with tempfile.TemporaryDirectory() as directory:
            page = Path(directory) / "robot.toml"
            page.write_text(page_text(changes(height_m, options), 0, args.seed))
            line = practise(page, args.steps, rng=np.random.default_rng(args.seed))
        sys.stdout.write(f"{name}: {line}\n")
        sys.stdout.flush()


def changes(height_m: float, options: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the changes of the example's page."""
    return {
        **pinned(height_m),
        "camera": {"stale_s": 1.0},
        "options": {**FEW_FRAMES, **options},
    }  # fmt: skip


def practise(page: Path, num_steps: int, *, rng: np.random.Generator) -> str:
    """Practise at random; return how it went in a line."""
    table = Table(page, EPISODE_STEPS, 84, settle=False)
    limits = table.config.limits
    low_m = np.add(limits.box_low_m[:2], BEHIND_M)
    high_m = np.subtract(limits.box_high_m[:2], BEHIND_M)
    policy = RandomPolicy(1, 2, 0.9)
    places: list[np.ndarray] = []
    num_moved = 0
    num_episodes = num_steps // EPISODE_STEPS
    for _ in range(num_episodes):
        table.envs.reset()
        policy.reset(rng=rng)
        start_m = table.puck_m
        while not table.envs.has_ended:
            table.envs.step(policy.act(rng=rng))
            places.append(table.puck_m)
        num_moved += bool(np.linalg.norm(table.puck_m - start_m) > 0.005)
    stuck = ((np.array(places) < low_m) | (np.array(places) > high_m)).any(axis=1)
    return (
        f"can't be pushed back in {100 * stuck.mean():.0f} of 100 steps, "
        f"{100 * stuck[len(stuck) // 2 :].mean():.0f} in the second half; moved by more than "
        f"5 mm in {num_moved} of {num_episodes} episodes"
    )


if __name__ == "__main__":
    main()
