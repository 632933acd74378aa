"""What the verbs do, one errand each: from paths and options to files and numbers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rig.config import Config
from rig.lab.evaluate import GOALS_AT_ONCE, evaluation_goals, make_world, table, try_goals
from rig.lab.imagine import imagined_sheet
from rig.lab.look import goal_of, picture_of
from rig.lab.origin import origin
from rig.lab.outputs import check_new_directory, default_directory
from rig.lab.pictures import read_goal_picture, save_goal_picture
from rig.lab.progress import open_progress
from rig.lab.reach import reach, summary
from rig.lab.run import Run
from rig.lab.tables import print_notice
from rig.lab.train import train
from rig.lab.trained import latent_space, num_env_steps, open_trained
from rig.lab.video import attempt_frames, save_video
from rig.world.tasks import Task, find_task, short_name


def train_anew(config: Config, preset: str, out: Path | None, argv: Sequence[str]) -> Run:
    """Trains into a new directory; nothing is begun if it can't be made."""
    config = replace(config, task=short_name(config.task))
    directory = out or default_directory(config, preset)
    check_new_directory(directory)
    run = Run.create(directory, config, origin(config, argv))
    with open_progress() as progress:
        train(config, run, progress)
    return run


def evaluate_run(directory: Path, num_episodes: int) -> dict[str, Any]:
    """The table of a trained run on the first goal pictures of the fixed set."""
    run, policy = open_trained(directory)
    world = make_world(run.config, min(GOALS_AT_ONCE, num_episodes))
    trial = try_goals(policy, world, evaluation_goals(run.config.task, num_episodes))
    world.close()
    return table(run.config, trial, num_env_steps(run))


def reach_picture(directory: Path, goal: Path, video: Path | None) -> dict[str, Any]:
    """Lets a trained run try to reach a picture; what came of it."""
    run, policy = open_trained(directory)
    latent_space(policy)
    picture = read_goal_picture(goal, run.config.image_size)
    if picture.changes:
        print_notice(f"{goal}: {', '.join(picture.changes)}")
    task = find_task(run.config.task)
    if picture.task not in (None, task.id):
        print_notice(f"{goal} shows {picture.task}, the run learned {task.id}")
    world = make_world(run.config, num_worlds=1)
    attempt = reach(policy, task, world, picture)
    world.close()
    if video:
        save_video(video, attempt_frames(attempt))
    return summary(task.name, attempt) | {"video": str(video) if video else None}


def imagine_goals(directory: Path, out: Path, num_goals: int, seed: int) -> None:
    """Writes a sheet of goals that a trained run imagines."""
    _run, policy = open_trained(directory)
    imagined_sheet(policy, num_goals, rng=np.random.default_rng(seed)).save(out, "PNG")


def take_picture(out: Path, task: Task, *, of_goal: bool, seed: int, size: int) -> None:
    """Writes what a task's camera sees, with the true state in the PNG."""
    state = goal_of(task, rng=np.random.default_rng(seed)) if of_goal else np.array(task.start)
    picture = Image.fromarray(picture_of(task, state, size))
    save_goal_picture(out, picture, task.id, state.tolist())
