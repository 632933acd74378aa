"""``python -m lerobot_policy_rig RUN GOAL OUT``: write a folder for ``--policy.path``."""

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def write_policy(out: Path, run: Path, goal_image: Path, camera: str, robot_page: Path) -> None:
    """Write the files that LeRobot reads."""
    out.mkdir(parents=True)
    paths = {"run": run, "goal_image": goal_image, "robot_page": robot_page}
    config = {name: str(path.absolute()) for name, path in paths.items()}
    about = {"type": "rig", "n_obs_steps": 1, "device": "cpu", "camera": camera, **config}
    (out / "config.json").write_text(json.dumps(about, indent=2) + "\n")
    for name in ("policy_preprocessor", "policy_postprocessor"):
        empty = {"name": name, "steps": []}
        (out / f"{name}.json").write_text(json.dumps(empty, indent=2) + "\n")
    save_file({"placeholder": np.zeros(1, np.float32)}, out / "model.safetensors")


def main() -> None:
    """Parse the command line and write the folder."""
    parser = argparse.ArgumentParser("lerobot_policy_rig", description=__doc__)
    for name in ("run", "goal_image", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--camera", default="observation.images.front")
    parser.add_argument("--robot-page", type=Path, required=True)
    options = parser.parse_args()
    write_policy(
        options.out, options.run, options.goal_image, options.camera, options.robot_page
    )


if __name__ == "__main__":
    main()
