"""The goals of evaluation during a run. A robot's are photographs, taken once and kept."""

from pathlib import Path

import numpy as np

from rig.envs.image_goal_env import Goals
from rig.runs.array_files import ArraySpec, array_bytes, load_arrays
from rig.runs.atomic_files import atomic_write
from rig.runs.run import Run
from rig.training.evaluate import evaluation_goals
from rig.training.make_envs import Envs


GOALS_FILE = "goals.safetensors"
GOALS = {
    "images": ArraySpec((None, None, None, 3), np.dtype(np.uint8)),
    "states": ArraySpec((None, None), np.dtype(np.float64)),
    "seeds": ArraySpec((None,), np.dtype(np.int64)),
}


def fixed_goals(run: Run, envs: Envs) -> Goals:
    """Return the goals of a run; a robot drives to them the first time, and never again."""
    settings = run.config.evaluate
    if not run.config.robot:
        return evaluation_goals(envs, settings.num_goals, settings.goals)
    path: Path = run.directory / GOALS_FILE
    if not path.is_file():
        goals = evaluation_goals(envs, settings.num_goals, settings.goals)
        arrays = {"images": goals.images, "states": goals.states, "seeds": goals.seeds}
        atomic_write(path, array_bytes(arrays))
    return Goals(**load_arrays(path, GOALS))
