"""Train Reach from Python, then let the robot reach a goal image that training never saw.

python examples/train_and_reach.py reached.png    # some minutes on a laptop
"""

import sys
from pathlib import Path

import gymnasium

import rig
from rig.report.image_grid import save_image_grid


def print_progress(progress: rig.TrainingProgress) -> None:
    """Print the latest evaluation; return False here to stop the run."""
    if distance_m := progress.metrics.get("eval/hand_distance_m"):
        print(f"{progress.num_timesteps:,} steps: hand {100 * distance_m:.1f} cm from its goal")


def main(path: Path, out: Path | None = None, **options: object) -> None:
    """Train, act for one episode, and save images of it."""
    settings = {"total_timesteps": 20_000, "evaluate.every_steps": 4000}
    wanted = {"settings": settings} | options
    policy = rig.train("Reach", seed=0, out=out, callback=print_progress, **wanted)
    env = gymnasium.make("rig/Reach-v0")
    observation, info = env.reset(seed=1)
    start, goal_image, is_over = observation["observation"], observation["desired_goal"], False
    while not is_over:
        action = policy.act(observation["observation"], goal_image)
        observation, _reward, _terminated, is_over, info = env.step(action)
    print(f"the hand is {100 * info['hand_distance_m']:.1f} cm from its goal")
    images = {"start": start, "reached": observation["observation"], "goal": goal_image}
    save_image_grid(path, {name: image[None] for name, image in images.items()}, "Reach")
    env.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "reached.png"))
