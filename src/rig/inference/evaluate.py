"""A trained run on the fixed goal images: its distances, and attempts for a video."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rig.agent.agent import Agent
from rig.envs.image_goal_env import Goals, ImageGoalVectorEnv
from rig.envs.tasks import is_external, short_name
from rig.errors import ImageError
from rig.goals.goal_image import GoalImage, read_goal_image
from rig.inference.open_run import num_env_steps
from rig.inference.reach import Attempt, reach
from rig.runs.run import Run
from rig.training.evaluate import GOALS_AT_ONCE, evaluation_goals, table, try_goals
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.provenance import check_same_observations


PHOTOGRAPHS = (".png", ".jpg", ".jpeg")
NUM_SHOWN = 4
"""Goal images in a video."""


def evaluate_run(
    run: Run,
    agent: Agent,
    num_episodes: int,
    task: str = "",
    photographs: Path | None = None,
    *,
    force: bool = False,
) -> dict[str, Any]:
    """Return the distances that are left on the first goal images of the fixed set.

    Args:
        run: The run that the agent comes from.
        agent: Acts.
        num_episodes: Goal images to try.
        task: Another task to try the goals of, if its start looks the same.
        photographs: A folder of goal images to try in place of the fixed ones.
        force: Try them even if it looks different.

    Raises:
        RunError: The task looks different.
        TaskError: There is no such task.
    """
    config = run.config
    if task:
        config = replace(config, task=short_name(task))
        check_same_observations(run, config, force=force)
    at_once = config.num_envs if is_external(config.task) else GOALS_AT_ONCE
    with closing(make_envs(config, min(at_once, num_episodes))) as envs:
        goals = (
            photographed_goals(photographs, config.image_size, unwrapped_envs(envs))
            if photographs
            else evaluation_goals(envs, num_episodes, config.evaluate.goals)
        )
        trial = try_goals(agent, envs, goals)
    return table(config, trial, num_env_steps(run))


def photographed_goals(folder: Path, size: int, base_envs: ImageGoalVectorEnv) -> Goals:
    """Return the images of a folder as goals; where nobody knows the state, it is NaN.

    Raises:
        ImageError: There is none, or a file is no image.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in PHOTOGRAPHS)
    if not paths:
        raise ImageError(f"{folder} has no image: put photographs there, as .png or .jpg")
    images = np.stack([read_goal_image(path, size).image for path in paths])
    states = np.full((len(paths), len(base_envs.state_names)), np.nan)
    return Goals(images=images, states=states, seeds=np.zeros(len(paths), np.int64))


def try_first_goals(run: Run, agent: Agent) -> list[Attempt]:
    """Return attempts at the first goal images of evaluation, each from its own start."""
    with closing(make_envs(run.config, num_envs=1)) as envs:
        goals, id_ = evaluation_goals(envs, NUM_SHOWN), unwrapped_envs(envs).id
        goal_images = [
            GoalImage(image=image, changes=(), task=id_, state=state, seed=int(seed))
            for image, state, seed in zip(goals.images, goals.states, goals.seeds, strict=True)
        ]
        return [reach(agent, envs, goal_image) for goal_image in goal_images]
