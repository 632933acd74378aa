"""What is said of a goal before anything moves: ``python -m benchmarks.likeness RUN...``.

Three tables. What likeness finds, and what it flags for nothing: goals are judged, as they are
and changed, by what each run kept of its practice. And whether "N of the 20 goals most like
this one were reached" holds: each run tries other goals, and what was said is held against how
it ended. Nothing was fitted to these goals. It takes two minutes a run on one core.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.page import section
from benchmarks.part import Row, Table
from rig.envs.tabletop_env import TabletopVectorEnv
from rig.envs.task import Task
from rig.envs.tasks import find_task
from rig.goals.likeness import UNLIKE_SHARE, limits
from rig.goals.practised import COLUMNS, load_practised, measure
from rig.goals.tried_goals import how_often, load_tried_goals
from rig.inference.open_run import open_trained
from rig.runs.run import Run
from rig.training.evaluate import GOALS_AT_ONCE, tried_goals, try_goals
from rig.training.make_envs import make_envs, unwrapped_envs


NUM_HELD_OUT, NUM_CHANGED, NUM_TRIED = 1000, 200, 500
GOAL_SEED = 40_000
"""Draws the goals; no training and no evaluation draws from it."""
OTHER_TASKS = ("Reach", "Push", "PushTwo", "Door", "PickAndPlace")
FLAGGED_BAR, FALSE_BAR = 0.95, 0.02
ERROR_BAR = 0.1
"""Of calibration: the mean difference between what was said and what came, over bins."""
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.01)
SHIFT_PX = 5
YELLOW, DISC_RADIUS = (230, 210, 40), 0.07
"""Of what is added; its radius is a share of the picture's width."""


def goal_images(task: Task, size: int, num: int) -> np.ndarray:
    """Return pictures of goals, drawn as those of an evaluation are."""
    rng = np.random.default_rng(GOAL_SEED)
    with closing(TabletopVectorEnv(task, 1, size, 1)) as envs:
        return envs.goals(num, rng=rng).images


def shifted(images: np.ndarray, right_px: int) -> np.ndarray:
    """Return images moved to the right or left, with their edge repeated."""
    before, after = max(right_px, 0), max(-right_px, 0)
    wide = np.pad(images, ((0, 0), (0, 0), (before, after), (0, 0)), mode="edge")
    return wide[:, :, after : after + images.shape[2]]


def changed(images: np.ndarray, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return images as they come out under another light, camera, or with a thing added."""
    brighter = np.clip(np.rint(1.3 * images), 0, 255).astype(np.uint8)
    darker = np.rint(0.7 * images).astype(np.uint8)
    side = images.shape[1]
    places = rng.uniform(0.2, 0.8, (len(images), 2)) * side
    rows, columns = np.indices((side, side)) + 0.5
    added = images.copy()
    for image, (row, column) in zip(added, places, strict=True):
        image[np.hypot(rows - row, columns - column) < DISC_RADIUS * side] = YELLOW
    return {
        "30 % brighter": brighter,
        "30 % darker": darker,
        f"shifted {SHIFT_PX} px to the right": shifted(images, SHIFT_PX),
        f"shifted {SHIFT_PX} px to the left": shifted(images, -SHIFT_PX),
        "yellow disc added": added,
    }


def rows(directory: Path) -> list[Row]:
    """Judge the pictures for one run."""
    run, practised = Run.open(directory), load_practised(directory)
    assert practised is not None, f"{directory} kept nothing: train it again"
    task, size = find_task(run.config.task), run.config.image_size
    goals = goal_images(task, size, NUM_HELD_OUT)
    some = goals[:NUM_CHANGED]
    cases = {"held-out goals": goals} | changed(some, rng=np.random.default_rng(GOAL_SEED))
    if "puck" in task.columns:
        without = replace(task, presence={"puck": 0.0})
        cases["puck missing"] = goal_images(without, size, NUM_CHANGED)
    for name in OTHER_TASKS:
        if name != task.name:
            cases[name] = goal_images(find_task(name), size, NUM_CHANGED)
    over = limits(practised.held_out, UNLIKE_SHARE)
    found = []
    for name, images in cases.items():
        is_over = measure(practised, images) > over
        share, is_false = float(is_over.any(axis=1).mean()), name == "held-out goals"
        is_met = share <= FALSE_BAR if is_false else share >= FLAGGED_BAR
        by_column = is_over.mean(axis=0)
        found.append(
            {"run": task.name, "pictures": name, "number": len(images)}
            | {column: f"{part:.0%}" for column, part in zip(COLUMNS, by_column, strict=True)}
            | {"flagged": f"{share:.1%}", "bar": "<= 2 %" if is_false else ">= 95 %"}
            | {"is": "met" if is_met else "missed"}
        )
    return found


def said_and_ended(directory: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Let a run try other goals; return what was said of each, whether it came, the base rate.

    The base rate is the share of the run's own evaluation: what one would say of any goal.
    """
    run, agent = open_trained(directory)
    representation = agent.representation
    kept = load_tried_goals(directory, representation.latent_dim, representation.latent_dtype)
    assert kept is not None, f"{directory} kept no goals: train it again"
    with closing(make_envs(run.config, GOALS_AT_ONCE)) as envs:
        rng = np.random.default_rng(GOAL_SEED)
        goals = unwrapped_envs(envs).goals(NUM_TRIED, rng=rng)
        trial = try_goals(agent, envs, goals)
    tried = tried_goals(representation, run.config, trial)
    assert tried is not None
    said = [how_often(kept, latent[None], representation.distance) for latent in tried.latents]
    shares = np.array([found.num_reached / found.num_goals for found in said if found])
    return shares, tried.is_reached, float(kept.is_reached.mean())


def calibration(
    task: str, said: np.ndarray, came: np.ndarray, base: float
) -> tuple[list[Row], Row]:
    """Return a row for each bin of what was said, and one for all of them."""
    bins = np.digitize(said, BINS) - 1
    found, error = [], 0.0
    for number in np.unique(bins):
        is_in = bins == number
        gap = abs(said[is_in].mean() - came[is_in].mean())
        error += gap * is_in.mean()
        found.append(
            {"run": task, "said": f"{BINS[number]:.0%} to {min(BINS[number + 1], 1):.0%}"}
            | {"goals": int(is_in.sum()), "said, mean": f"{said[is_in].mean():.0%}"}
            | {"reached": f"{came[is_in].mean():.0%}"}
        )
    brier, base_brier = (float(np.mean((each - came) ** 2)) for each in (said, base))
    is_met = error <= ERROR_BAR and brier < base_brier
    whole = (
        {"run": task, "goals": len(said), "reached": f"{came.mean():.0%}"}
        | {"Brier score": f"{brier:.3f}", "of the base rate": f"{base_brier:.3f}"}
        | {"calibration error": f"{error:.3f}", "bar": f"<= {ERROR_BAR:g}"}
        | {"is": "met" if is_met else "missed"}
    )
    return found, whole


def main(argv: Sequence[str]) -> None:
    """Print both tables for all runs."""
    table = [row for name in argv for row in rows(Path(name))]
    print(section(Table(title="Likeness", rows=table)))
    bins, wholes = [], []
    for name in argv:
        task = find_task(Run.open(Path(name)).config.task).name
        found, whole = calibration(task, *said_and_ended(Path(name)))
        bins, wholes = [*bins, *found], [*wholes, whole]
    print(section(Table(title="Said, and reached", rows=bins)))
    print(section(Table(title="How often such goals were reached", rows=wholes)))


if __name__ == "__main__":
    main(sys.argv[1:])
