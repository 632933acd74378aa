"""What likeness finds and what it flags for nothing: ``python -m benchmarks.likeness RUN...``.

Each run's policy practises again, because an older run kept no pictures of its practice: 256
episodes towards imagined goals, with the noise of practice. Thresholds come from half of these
episodes. Then the goals of an evaluation are judged, as they are and changed. It takes a minute
a run.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.page import section
from benchmarks.part import Row, Table
from rig.agent.agent import Agent
from rig.agent.explore import Noise
from rig.config import Config
from rig.envs.tabletop_env import TabletopVectorEnv
from rig.envs.task import Task
from rig.envs.tasks import find_task
from rig.goals.likeness import unlike_limits
from rig.goals.practised import COLUMNS, Practised, load_practised, measure
from rig.inference.open_run import open_trained
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.practice_pictures import NUM_EPISODES, PracticePictures
from rig.training.rollout import PracticeRollout


NUM_HELD_OUT, NUM_CHANGED = 1000, 200
NUM_ENVS = 16
GOAL_SEED = 40_000
"""Draws the goals; no training and no evaluation draws from it."""
OTHER_TASKS = ("Reach", "Push", "PushTwo", "Door", "PickAndPlace")
FLAGGED_BAR, FALSE_BAR = 0.95, 0.02
SHIFT_PX = 5
YELLOW, DISC_RADIUS = (230, 210, 40), 0.07
"""Of what is added; its radius is a share of the picture's width."""


def practise(agent: Agent, config: Config) -> Practised | None:
    """Practise with a trained policy, and return what a run would keep of it."""
    rng = np.random.default_rng(GOAL_SEED)
    pictures = PracticePictures(config)
    with closing(make_envs(config, NUM_ENVS)) as envs:
        base_envs = unwrapped_envs(envs)
        for index in range(NUM_EPISODES // NUM_ENVS):
            goals = [agent.representation.imagine(NUM_ENVS, rng=rng)]
            noise = Noise(NUM_ENVS, base_envs.action_size, config.explore)
            rollout = PracticeRollout(envs, goals, noise, base_envs.num_steps, rng=rng)
            rollout.advance(agent.act, base_envs.num_steps, is_last=True)
            pictures.add(agent.representation, rollout.episodes(), index)
    return pictures.practised(agent.representation)


def goal_images(task: Task, size: int, num: int) -> np.ndarray:
    """Return pictures of goals, drawn as those of an evaluation are."""
    rng = np.random.default_rng(GOAL_SEED)
    with closing(TabletopVectorEnv(task, 1, size, 1)) as envs:
        return envs.goals(num, rng=rng).images


def changed(images: np.ndarray, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return images as they come out under another light, camera, or with a thing added."""
    brighter = np.clip(np.rint(1.3 * images), 0, 255).astype(np.uint8)
    darker = np.rint(0.7 * images).astype(np.uint8)
    shifted = np.pad(images, ((0, 0), (0, 0), (SHIFT_PX, 0), (0, 0)), mode="edge")
    side = images.shape[1]
    places = rng.uniform(0.2, 0.8, (len(images), 2)) * side
    rows, columns = np.indices((side, side)) + 0.5
    added = images.copy()
    for image, (row, column) in zip(added, places, strict=True):
        image[np.hypot(rows - row, columns - column) < DISC_RADIUS * side] = YELLOW
    return {
        "30 % brighter": brighter,
        "30 % darker": darker,
        f"shifted {SHIFT_PX} px": shifted[:, :, :side],
        "yellow disc added": added,
    }


def rows(directory: Path) -> list[Row]:
    """Judge the pictures for one run."""
    run, agent = open_trained(directory)
    practised = load_practised(directory, agent.representation)
    source = "kept" if practised else "practised again"
    practised = practised or practise(agent, run.config)
    assert practised is not None, f"{directory}: too few episodes"
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
    limits = unlike_limits(practised)
    found = []
    for name, images in cases.items():
        is_over = measure(practised, agent.representation, images) > limits
        share, is_false = float(is_over.any(axis=1).mean()), name == "held-out goals"
        is_met = share <= FALSE_BAR if is_false else share >= FLAGGED_BAR
        by_column = is_over.mean(axis=0)
        found.append(
            {"run": task.name, "pictures": name, "number": len(images)}
            | {column: f"{part:.0%}" for column, part in zip(COLUMNS, by_column, strict=True)}
            | {"flagged": f"{share:.1%}", "bar": "<= 2 %" if is_false else ">= 95 %"}
            | {"is": "met" if is_met else "missed", "statistics": source}
        )
    return found


def main(argv: Sequence[str]) -> None:
    """Print a table for all runs."""
    table = [row for name in argv for row in rows(Path(name))]
    print(section(Table(title="Likeness", rows=table)))


if __name__ == "__main__":
    main(sys.argv[1:])
