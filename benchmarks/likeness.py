"""What likeness finds and what it flags for nothing: ``python -m benchmarks.likeness RUN...``.

The goals of an evaluation are judged, as they are and changed, by what each run kept of its
practice. Nothing was fitted to these goals. It takes a minute a run.
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
from rig.runs.run import Run


NUM_HELD_OUT, NUM_CHANGED = 1000, 200
GOAL_SEED = 40_000
"""Draws the goals; no training and no evaluation draws from it."""
OTHER_TASKS = ("Reach", "Push", "PushTwo", "Door", "PickAndPlace")
FLAGGED_BAR, FALSE_BAR = 0.95, 0.02
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


def main(argv: Sequence[str]) -> None:
    """Print a table for all runs."""
    table = [row for name in argv for row in rows(Path(name))]
    print(section(Table(title="Likeness", rows=table)))


if __name__ == "__main__":
    main(sys.argv[1:])
