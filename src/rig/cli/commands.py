"""What the verbs do, one errand each: from paths and options to files and numbers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rig.agent.agent import Agent
from rig.cli.outputs import check_new_directory, default_directory
from rig.config import Config
from rig.envs.tasks import is_external, short_name
from rig.errors import RigError, RunError
from rig.goals.goal_image import read_goal_image, save_goal_image
from rig.inference.imagine import imagined_grid
from rig.inference.open_run import latent_space, num_env_steps, open_trained
from rig.inference.reach import reach, summary
from rig.inference.video import attempt_frames, save_video
from rig.report.tables import print_notice
from rig.runs.interrupt import Interrupt
from rig.runs.run import Run
from rig.runs.settings import learned_from
from rig.training.display import say_plainly
from rig.training.evaluate import GOALS_AT_ONCE, evaluation_goals, table, try_goals
from rig.training.loop import training
from rig.training.make_envs import make_envs, named, unwrapped_envs
from rig.training.origin import origin
from rig.training.progress import Progress, open_progress
from rig.training.provenance import check_reproducible, check_same_observations
from rig.training.seeds_together import Lessons, alone, together
from rig.training.snapshot import take_snapshot
from rig.training.trackers import TrackerName, check_tracker, tracked


def train_anew(
    config: Config,
    preset: str,
    out: Path | None,
    argv: Sequence[str],
    tracker: TrackerName | None = None,
) -> Run:
    """Trains into a new directory; nothing is begun if it can't be made."""
    check_tracker(tracker)
    config = named(config)
    run = new_run(config, out or default_directory(config, preset), argv)
    train_to_the_end(run, tracker)
    return run


def new_run(config: Config, directory: Path, argv: Sequence[str], num_together: int = 1) -> Run:
    """A new run that has done nothing yet; nothing is begun if it can't be made.

    Its origin tells if it is trained with others: then it ends as alone, but for rounding.
    """
    check_new_directory(directory)
    about = {"seeds_together": num_together} if num_together > 1 else {}
    return Run.create(directory, config, origin(config, argv) | about)


def train_on(
    directory: Path, tracker: TrackerName | None = None, *, force: bool = False
) -> Run:
    """Goes on with a run that was stopped."""
    check_tracker(tracker)
    run = Run.open(directory)
    if run.is_finished:
        raise RunError(f"{directory} is finished: there is nothing to go on with")
    check_reproducible(run, force=force)
    train_to_the_end(run, tracker)
    return run


def train_to_the_end(run: Run, tracker: TrackerName | None = None) -> None:
    """Trains from where the run is; nobody else may meanwhile.

    Raises:
        StoppedError: A signal came.
        RunError: Something can't be written.
    """
    progress = open_progress()
    with Interrupt(progress.note, how_to_go_on(run)) as interrupt:
        alone(guarded(run, progress, interrupt, tracker))


def train_together(
    runs: Mapping[str, Run],
    displays: Mapping[str, Progress],
    tracker: TrackerName | None = None,
) -> Iterator[tuple[str, Agent | RigError]]:
    """Trains runs of one setting side by side, their updates in one program.

    Args:
        runs: By any name; each goes on from where it is.
        displays: Each run's, by the same name.
        tracker: Follows each of them.

    Yields:
        A run's name and its policy, or the error that ended it, as it comes. The others go on.
    """
    with Interrupt(say_plainly, "each run goes on from its checkpoint") as interrupt:
        yield from together(
            {
                name: guarded(run, displays[name], interrupt, tracker)
                for name, run in runs.items()
            }
        )


def guarded(
    run: Run, progress: Progress, interrupt: Interrupt, tracker: TrackerName | None = None
) -> Lessons[Agent]:
    """A run's training from where it is, while nobody else may train it."""
    with run.alone(), progress:
        try:
            with tracked(run, tracker):
                return (yield from training(run.config, run, progress, interrupt))
        except OSError as error:
            raise RunError(
                f"writing to {run.directory} failed: {error.strerror or error}; what was saved "
                f"before is whole: once that is put right, {how_to_go_on(run)}"
            ) from error


def how_to_go_on(run: Run) -> str:
    """What to do with a run that was stopped."""
    return f"go on with `rig train --resume {run.directory}`"


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
