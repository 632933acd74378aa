"""What the verbs do, one errand each: from paths and options to files and numbers."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rig.config import Config
from rig.envs.tasks import is_external, short_name
from rig.goals.goal_image import read_goal_image, save_goal_image
from rig.inference.imagine import imagined_grid
from rig.inference.open_run import latent_space, num_env_steps, open_trained
from rig.inference.reach import reach, summary
from rig.inference.video import attempt_frames, save_video
from rig.report.tables import print_notice
from rig.runs.settings import learned_from
from rig.training.evaluate import GOALS_AT_ONCE, evaluation_goals, table, try_goals
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.provenance import check_same_observations
from rig.training.snapshot import take_snapshot


def evaluate_run(
    directory: Path, num_episodes: int, task: str = "", *, force: bool = False
) -> dict[str, Any]:
    """The table of a trained run on the first goal pictures of the fixed set.

    They are its own task's, or those of another one that looks the same at the start.
    """
    run, policy = open_trained(directory, force=force)
    config = run.config
    if task:
        config = replace(config, task=short_name(task))
        check_same_observations(run, config, force=force)
    if config.is_given_truth:
        print_notice(f"{directory} learned from {learned_from(config)}")
    at_once = config.num_envs if is_external(config.task) else GOALS_AT_ONCE
    with closing(make_envs(config, min(at_once, num_episodes))) as envs:
        goals = evaluation_goals(envs, num_episodes, config.evaluate.goals)
        trial = try_goals(policy, envs, goals)
    return table(config, trial, num_env_steps(run))


def reach_goal_image(
    directory: Path, goal: Path, video: Path | None, *, force: bool = False
) -> dict[str, Any]:
    """Lets a trained run try to reach a picture; what came of it."""
    run, policy = open_trained(directory, force=force)
    latent_space(policy)
    picture = read_goal_image(goal, run.config.image_size)
    if picture.changes:
        print_notice(f"{goal}: {', '.join(picture.changes)}")
    with closing(make_envs(run.config, num_envs=1)) as envs:
        learned = unwrapped_envs(envs).id
        if picture.task not in (None, learned):
            print_notice(f"{goal} shows {picture.task}, the run learned {learned}")
        attempt = reach(policy, envs, picture)
    if video:
        save_video(video, attempt_frames(attempt))
    return summary(run.config.task, attempt) | {"video": str(video) if video else None}


def imagine_goals(directory: Path, out: Path, num_goals: int, seed: int) -> None:
    """Writes a sheet of goals that a trained run imagines."""
    _run, policy = open_trained(directory, force=True)  # it looks at nothing
    imagined_grid(policy, num_goals, rng=np.random.default_rng(seed)).save(out, "PNG")


def save_snapshot(out: Path, config: Config, size: int, *, of_goal: bool) -> None:
    """Writes what the camera of these settings sees, with the true state in the PNG."""
    snapshot = take_snapshot(config, size, of_goal=of_goal)
    picture = Image.fromarray(snapshot.image)
    save_goal_image(out, picture, snapshot.id, snapshot.state.tolist(), snapshot.seed)
