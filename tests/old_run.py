"""A small finished run, with its checkpoints, as this version leaves one; zipped.

``python tests/old_run.py FILE`` makes it. What was made once stays in ``tests/data``: later
versions must read it (``tests/test_old_run.py``).
"""

import sys
import tempfile
import zipfile
from pathlib import Path

from rig.config import (
    CheckpointConfig,
    CollectConfig,
    Config,
    EvaluateConfig,
    TD3Config,
    VAEConfig,
)
from rig.runs.run import Run
from rig.training.origin import origin
from rig.training.run_training import train_run


CONFIG = Config(
    total_timesteps=100,
    num_envs=1,
    buffer_size=100,
    collect=CollectConfig(num_images=50),
    vae=VAEConfig(
        architecture="feature_points",
        latent_dim=4,
        likelihood="gaussian",
        num_components=3,
        hidden_size=4,
        batch_size=8,
        num_fit_steps=4,
        whiten_floor=0.02,
    ),
    td3=TD3Config(hidden_sizes=(8,), batch_size=8, utd_ratio=0.1, learning_starts=0),
    evaluate=EvaluateConfig(every_steps=50, num_goals=1),
    checkpoint=CheckpointConfig(keep_finished=True),
)


def main(path: Path) -> None:
    """Trains for a moment, and packs what is left."""
    with tempfile.TemporaryDirectory() as scratch:
        run = Run.create(Path(scratch) / "run", CONFIG, origin(CONFIG, ["train", "Reach"]))
        train_run(run)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as pack:
            for file in sorted(run.directory.rglob("*")):
                if file.is_file() and file.suffix != ".png" and "best" not in file.parts:
                    pack.write(file, file.relative_to(run.directory))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
