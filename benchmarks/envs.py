"""Environments: images and steps per second, next to ``mujoco.Renderer``."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np

from benchmarks.measure import Measure, Spent, alternate, speed_row, spend, timing
from benchmarks.part import Part, Row, Size, Table, Target
from benchmarks.peer import MissingPeerError, Peer, open_renderer
from rig.agent.explore import RandomPolicy
from rig.envs.camera_effects import CameraEffects
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.envs.tabletop import Tabletop
from rig.envs.tabletop_env import TabletopVectorEnv
from rig.envs.tasks import PUSH, TASKS, Task
from rig.training.origin import num_cores


TARGET_ENVS = 16
TARGET_IMAGE_MS = 0.25
TARGET_STEPS_PER_S = {48: 5000, 84: 2000}
ACTION_CORRELATION = 0.9


def run(size: Size) -> Part:
    """Measure images, steps and the peer."""
    images, steps = [], []
    for task, pixels, num_envs, threads in cases(size):
        with closing(Tabletop(task, num_envs, pixels, threads)) as tabletop:
            about = about_row(task, pixels, num_envs, threads)
            images.append(about | image_row(tabletop, size))
            steps.append(about | step_row(tabletop, size))
    tables = [
        Table(title="Images: set a state, pose the arm, render", rows=images),
        Table(title="Steps of 0.1 s: step and render", rows=steps),
        camera_effects(size),
        next_to_renderer(size),
    ]
    return Part(tables=tables, targets=targets(images, steps, size))


def cases(size: Size) -> Iterator[tuple[Task, int, int, int]]:
    """Yield the task, pixels, number of environments and threads of each measurement."""
    for pixels in size.pixels:
        for num_envs in size.env_counts:
            for threads in sorted({1, num_cores()}):
                yield PUSH, pixels, num_envs, threads
        for task in TASKS:
            if task is not PUSH:
                yield task, pixels, TARGET_ENVS, num_cores()


def about_row(task: Task, pixels: int, num_envs: int, threads: int) -> Row:
    """Return the columns that identify a measurement."""
    return {"task": task.name, "pixels": pixels, "envs": num_envs, "threads": threads}


def image_row(tabletop: Tabletop, size: Size) -> Row:
    """Measure the time of an image; the states are evaluation goals."""
    num = max(size.num_images, tabletop.num_envs)
    states = tabletop.task.sample_goals(num, rng=np.random.default_rng(0))
    return speed_row(
        timing(lambda: tabletop.goal_images(states), size.num_rounds), num, "images"
    )


def step_row(tabletop: Tabletop, size: Size) -> Row:
    """Measure the time of a step of one environment; each round starts from a reset."""
    num_steps = max(1, size.num_images // tabletop.num_envs)
    rng = np.random.default_rng(0)
    policy = RandomPolicy(tabletop.num_envs, tabletop.action_size, ACTION_CORRELATION)
    actions = [policy.act(rng=rng) for _ in range(num_steps)]

    def measure() -> Spent:
        tabletop.reset()
        return spend(lambda: [tabletop.step(action) for action in actions])

    spent = alternate({"steps": measure}, size.num_rounds)["steps"]
    return speed_row(spent, num_steps * tabletop.num_envs, "steps")


def camera_effects(size: Size) -> Table:
    """Measure what camera effects add to a step of one environment, in turns."""
    actions = np.zeros((TARGET_ENVS, PUSH.action_size), np.float32)
    num_steps = max(1, size.num_images // TARGET_ENVS)
    rows: list[Row] = []
    for pixels in size.pixels:
        envs = {
            name: effects_envs(pixels, *effects)
            for name, effects in {"none": (), "webcam": ("webcam",)}.items()
        }
        measures = {name: steps_of(one, actions, num_steps) for name, one in envs.items()}
        spent = alternate(measures, size.num_rounds)
        rows += [
            {"effects": name, "pixels": pixels, "envs": TARGET_ENVS, "threads": 1}
            | speed_row(spent[name], num_steps * TARGET_ENVS, "steps")
            for name in envs
        ]
        for one in envs.values():
            one.close()
    return Table(title="Camera effects: steps of Push, with and without", rows=rows)


def effects_envs(pixels: int, *effects: Any) -> ImageGoalVectorEnv:
    """Return environments of Push on one thread, with camera effects if any are named."""
    envs = TabletopVectorEnv(PUSH, TARGET_ENVS, pixels, 1)
    return CameraEffects(envs, effects) if effects else envs


def steps_of(envs: ImageGoalVectorEnv, actions: np.ndarray, num: int) -> Measure:
    """Return what measures steps from a reset."""

    def measure() -> Spent:
        envs.reset(seed=0)
        return spend(lambda: [envs.step(actions) for _ in range(num)])

    return measure


def next_to_renderer(size: Size) -> Table:
    """Measure an image of one environment by our camera and by OpenGL, in turns."""
    title = "An image of one environment, next to `mujoco.Renderer`"
    try:
        with open_renderer() as peer:
            rows = [row for pixels in size.pixels for row in renderer_rows(peer, pixels, size)]
            return Table(title=title, rows=rows, notes=renderer_notes(peer))
    except MissingPeerError as error:
        return Table(title=title, rows=[], notes=[str(error)])


def renderer_rows(peer: Peer, pixels: int, size: Size) -> list[Row]:
    """Return one row for each renderer."""
    states = PUSH.sample_goals(size.num_renders, rng=np.random.default_rng(0))
    ask = {"pixels": pixels, "num_images": size.num_renders}
    with closing(Tabletop(PUSH, 1, pixels, 1)) as tabletop:
        measures: dict[str, Measure] = {
            "ours, one thread": lambda: spend(lambda: tabletop.goal_images(states)),
            "Renderer, default settings": lambda: peer.measure(ask | {"is_tuned": False}),
            "Renderer, no multisampling, no shadow map": lambda: peer.measure(
                ask | {"is_tuned": True}
            ),
        }
        spent = alternate(measures, size.num_rounds)
    ours_s = spent["ours, one thread"].best_s
    return [
        {"camera": name, "pixels": pixels}
        | speed_row(one, size.num_renders, "images")
        | {"times ours": one.best_s / ours_s}
        for name, one in spent.items()
    ]


def renderer_notes(peer: Peer) -> list[str]:
    """Say what renders the peer's images."""
    return [
        f"OpenGL by {peer.about['backend']}: {peer.about['renderer']}. The scene has "
        f"{peer.about['num_lights']} lights of its own, so only the headlight, which casts no "
        "shadow; scenes with lamps cost the Renderer more."
    ]


def targets(images: list[Row], steps: list[Row], size: Size) -> list[Target]:
    """Return the targets for 16 environments of Push."""
    found = [
        Target(
            what=f"an image at 48 px on one thread ({num_envs} envs)",
            promised=TARGET_IMAGE_MS,
            measured=find(images, 48, num_envs, 1, "ms each"),
            unit="ms",
        )
        for num_envs in size.env_counts
    ]
    return found + [
        Target(
            what=f"{TARGET_ENVS} envs stepped and rendered at {pixels} px",
            promised=promised,
            measured=find(steps, pixels, TARGET_ENVS, num_cores(), "steps/s"),
            unit="steps/s",
            more_is_better=True,
        )
        for pixels, promised in TARGET_STEPS_PER_S.items()
    ]


def find(
    rows: list[Row], pixels: int, num_envs: int, threads: int, column: str
) -> float | None:
    """Return a number of the row of that measurement of Push, or None without such a row."""
    wanted = about_row(PUSH, pixels, num_envs, threads)
    return next((row[column] for row in rows if wanted.items() <= row.items()), None)
