"""The page about the tasks: ``python -m benchmarks.tasks [--out docs/tasks.md]``.

Everything on it is computed from the tasks: the pictures are the camera's, the boxes are drawn
into them as the camera would see them, and the scores of doing nothing are measured.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import combinations, product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.page import grid
from benchmarks.part import Row
from rig.envs.camera import Camera
from rig.envs.tabletop import STEP_M, STEP_S, Tabletop
from rig.envs.tasks import HAND, TASKS, Task
from rig.report.image_grid import GAP_PX
from rig.units import amount, object_of


PAGE = Path("docs/tasks.md")
PICTURE_PX, CAMERA_PX = 288, 48
NUM_SHOWN, NUM_GOALS = 3, 1000
HEAD = f"""# Tasks

<!-- Written by `python -m benchmarks.tasks`: change that, or the tasks, not this. -->

Each is a Gymnasium environment, a scene file in `src/rig/world/scenes/` and a page of Python
in `src/rig/world/tasks/`; [a task of your own](new-task.md) takes no more. Lengths are in
metres, z is up, the robot's base is at the origin and y points away from it. An action is in
[-1, 1] for each axis of the hand, {100 * STEP_M:.0f} cm per unit, and lasts {STEP_S} s; a
grip's action sets how far it closes, from open (-1) to shut (1). An episode ends by its length
alone.

In each row, first the start, with boxes drawn in: where the hand may go (black), and where its
goals (purple) and those of the objects (blue, green) are drawn from. Then three goals, as the
robot is shown them: {CAMERA_PX} pixels wide and high.

*Doing nothing* is the mean distance, and the median, from the start to {NUM_GOALS:,} goals
drawn as evaluation draws them. Distances count at the last step, and only for what is in view.
"""
SEED = 1
HAND_INK = "#1f2328"
GOAL_INKS = ("#7d3fb0", "#0b57b8", "#0a7a33")
LINE_PX = 2
AXES = ("_x", "_y", "_z")


def main(argv: Sequence[str]) -> None:
    """Draws every task and writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks", description=__doc__)
    parser.add_argument("--out", type=Path, default=PAGE, metavar="FILE", help="the page")
    out = parser.parse_args(argv).out
    pictures = out.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    sections = [HEAD]
    for task in TASKS:
        path = pictures / f"{task.name}.png"
        row_of_pictures(task).save(path, "PNG", optimize=True)
        sections.append(section(task, f"{pictures.name}/{path.name}"))
    out.write_text("\n".join(sections))


def section(task: Task, picture: str) -> str:
    """A heading, the picture, and the facts."""
    rows: list[Row] = [{"": name, " ": value} for name, value in facts(task).items()]
    lines = [
        f"## {task.name}",
        "",
        task.about,
        "",
        f"![Start and goals of {task.name}]({picture})",
    ]
    return "\n".join([*lines, "", *grid(rows)])


def facts(task: Task) -> dict[str, str]:
    """What a task's record says, in words."""
    hand = [joint.removeprefix(f"{HAND}_") for joint in task.objects[HAND]]
    start = ", ".join(
        f"{name} {numbers(task.start[column])}"
        for name, column in task.columns.items()
        if name in task.scores
    )
    goals = "; ".join(
        f"{name} {ranges(task.goals[name].low, task.goals[name].high)}" for name in task.scores
    )
    return {
        "environment": f"`{task.id}`, {task.num_steps} steps",
        "action": f"{len(hand) + len(task.motors)}: hand " + ", ".join([*hand, *task.motors]),
        "hand box": ranges(task.hand_box.low, task.hand_box.high),
        "start": start,
        "goals": goals,
        "score": ", ".join(f"`{name}`" for name in measured(task)),
        "doing nothing": ", ".join(
            f"{object_of(name)} {amount(name, mean)} ({amount(name, median)})"
            for name, (mean, median) in measured(task).items()
        ),
    }


def measured(task: Task) -> dict[str, tuple[float, float]]:
    """The mean and the median distance that doing nothing leaves, over the goals with it."""
    goals = task.sample_goals(NUM_GOALS, rng=np.random.default_rng(SEED))
    distances = task.distances(np.tile(task.start, (len(goals), 1)), goals)
    return {name: (np.nanmean(d), np.nanmedian(d)) for name, d in distances.items()}


def numbers(values: Sequence[float]) -> str:
    """A point, without trailing zeros; of many numbers the first few."""
    shown = [f"{value:.4g}" for value in values[:3]]
    return (
        shown[0] if len(values) == 1 else f"({', '.join(shown)}{', ...' * (len(values) > 3)})"
    )


def ranges(low: Sequence[float], high: Sequence[float]) -> str:
    """A box, one range for each axis; of many axes the first few."""
    sides = [f"[{one:.4g}, {other:.4g}]" for one, other in zip(low[:3], high[:3], strict=True)]
    return " × ".join(sides) + " × ..." * (len(low) > 3)


def row_of_pictures(task: Task) -> Image.Image:
    """The start with its boxes, and some goals."""
    goals = task.sample_goals(NUM_SHOWN, rng=np.random.default_rng(SEED))
    start = Image.fromarray(pictures(task, np.array([task.start]), PICTURE_PX)[0])
    draw_boxes(start, task)
    seen = pictures(task, goals, CAMERA_PX)
    factor = PICTURE_PX // CAMERA_PX
    tiles = [start, *(Image.fromarray(i.repeat(factor, 0).repeat(factor, 1)) for i in seen)]
    row = Image.new("RGB", (len(tiles) * (PICTURE_PX + GAP_PX) - GAP_PX, PICTURE_PX), "white")
    for index, tile in enumerate(tiles):
        row.paste(tile, (index * (PICTURE_PX + GAP_PX), 0))
    return row


def pictures(task: Task, states: np.ndarray, size: int) -> np.ndarray:
    """What the camera sees of states."""
    with closing(Tabletop(task, 1, size, 1)) as tabletop:
        return tabletop.goal_images(states)


def draw_boxes(picture: Image.Image, task: Task) -> None:
    """Draws the hand's box and the goals' boxes into a picture of the task."""
    draw = ImageDraw.Draw(picture)
    boxes = [(task.goals[name], task.objects[name]) for name in task.scores if name != HAND]
    boxes = [(task.goals[HAND], task.objects[HAND]), *boxes]
    for (region, joints), ink in zip(boxes, GOAL_INKS, strict=False):
        for line in edges(region.low, region.high, joints):
            draw.line(projected(task.camera, line, picture.width), fill=ink, width=LINE_PX)
    for line in edges(task.hand_box.low, task.hand_box.high, task.objects[HAND]):
        draw.line(projected(task.camera, line, picture.width), fill=HAND_INK, width=LINE_PX)


def edges(
    low: Sequence[float], high: Sequence[float], joints: Sequence[str]
) -> Iterator[np.ndarray]:
    """The edges of a box in space; an axis without a joint is 0, which is the table's height.

    Joints that are no places, as a door's angle, have no box.
    """
    ends = np.zeros((2, len(AXES)))
    for joint, least, most in zip(joints, low, high, strict=True):
        for axis, ending in enumerate(AXES):
            if joint.endswith(ending):
                ends[:, axis] = least, most
    corners = [np.array(corner) for corner in sorted(set(product(*ends.T.tolist())))]
    for one, other in combinations(corners, 2):
        if (one != other).sum() == 1:
            yield np.stack([one, other])


def projected(camera: Camera, points_m: np.ndarray, size: int) -> list[tuple[float, float]]:
    """Where in a picture of the camera points are, pixels from its top left corner."""
    right, down, forward = ((points_m - camera.position_m()) @ np.linalg.inv(camera.axes())).T
    return [
        ((1 + x / depth) * size / 2, (1 + y / depth) * size / 2)
        for x, y, depth in zip(right, down, forward, strict=True)
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
