"""Write the page about the tasks: ``python -m benchmarks.tasks [--out docs/tasks.md]``.

Everything on the page is computed from the tasks: the images, the boxes drawn into them, and
the distances of the no-op policy.
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
from rig.envs.tabletop import STEP_M, STEP_S, Tabletop
from rig.envs.tasks import HAND, TASKS, Task
from rig.envs.viewpoint import Camera
from rig.report.image_grid import GAP_PX
from rig.units import amount, object_of


PAGE = Path("docs/tasks.md")
IMAGE_PX, CAMERA_PX = 288, 48
NUM_SHOWN, NUM_GOALS = 3, 1000
HEAD = f"""# Tasks

<!-- Written by `make tasks`. Change benchmarks/tasks.py or the tasks, not this file. -->

Each task is a Gymnasium environment:

```python
import gymnasium
import rig

env = gymnasium.make("rig/Push-v0")
envs = gymnasium.make_vec("rig/Push-v0", num_envs=16)
```

A task is a scene file in `src/rig/envs/scenes/` and a short module in `src/rig/envs/tasks/`.
[A task of your own](new-task.md) needs the same two files.

**Units.** Lengths are in metres. The robot's base is at the origin, y points away from it and
z points up. Each axis of the hand has an action in [-1, 1], which moves it by
{100 * STEP_M:.0f} cm per unit. The gripper's action goes from open (-1) to closed (1). A step
lasts {STEP_S} s. An episode ends only at its time limit.

**Images.** The first image of each row is the start, with the box of the hand (black), of its
goals (purple), and of the objects' goals (blue, green). The other three are goal images as the
policy sees them, {CAMERA_PX} pixels wide and high.

**No-op policy.** The table gives the mean distance of the start from {NUM_GOALS:,} evaluation
goals, with the median in brackets: what a policy that does nothing scores. Distances are
measured at the last step of an episode, and only for objects that are present in the goal.
"""
SEED = 1
HAND_INK = "#1f2328"
GOAL_INKS = ("#7d3fb0", "#0b57b8", "#0a7a33")
LINE_PX = 2
AXES = ("_x", "_y", "_z")


def main(argv: Sequence[str]) -> None:
    """Draw every task and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tasks", description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=PAGE, metavar="FILE", help="the page to write"
    )
    out = parser.parse_args(argv).out
    folder = out.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    sections = [HEAD]
    for task in TASKS:
        path = folder / f"{task.name}.png"
        row_of_images(task).save(path, "PNG", optimize=True)
        sections.append(section(task, f"{folder.name}/{path.name}"))
    out.write_text("\n".join(sections))


def section(task: Task, image: str) -> str:
    """Return a task's heading, image and table."""
    rows: list[Row] = [{"": name, " ": value} for name, value in facts(task).items()]
    lines = [
        f"## {task.name}",
        "",
        task.description,
        "",
        f"![Start and goals of {task.name}]({image})",
    ]
    return "\n".join([*lines, "", *grid(rows)])


def facts(task: Task) -> dict[str, str]:
    """Return a task's fields as text."""
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
        "distances": ", ".join(f"`{name}`" for name in measured(task)),
        "no-op policy": ", ".join(
            f"{object_of(name)} {amount(name, mean)} ({amount(name, median)})"
            for name, (mean, median) in measured(task).items()
        ),
    }


def measured(task: Task) -> dict[str, tuple[float, float]]:
    """Compute the mean and the median distance of the no-op policy from the goals."""
    goals = task.sample_goals(NUM_GOALS, rng=np.random.default_rng(SEED))
    distances = task.distances(np.tile(task.start, (len(goals), 1)), goals)
    return {name: (np.nanmean(d), np.nanmedian(d)) for name, d in distances.items()}


def numbers(values: Sequence[float]) -> str:
    """Format a point without trailing zeros; the first few of many numbers."""
    shown = [f"{value:.4g}" for value in values[:3]]
    return (
        shown[0] if len(values) == 1 else f"({', '.join(shown)}{', ...' * (len(values) > 3)})"
    )


def ranges(low: Sequence[float], high: Sequence[float]) -> str:
    """Format a box as one range per axis; the first few of many axes."""
    sides = [f"[{one:.4g}, {other:.4g}]" for one, other in zip(low[:3], high[:3], strict=True)]
    return " × ".join(sides) + " × ..." * (len(low) > 3)


def row_of_images(task: Task) -> Image.Image:
    """Return an image of the start with its boxes, next to some goals."""
    goals = task.sample_goals(NUM_SHOWN, rng=np.random.default_rng(SEED))
    start = Image.fromarray(render(task, np.array([task.start]), IMAGE_PX)[0])
    draw_boxes(start, task)
    seen = render(task, goals, CAMERA_PX)
    factor = IMAGE_PX // CAMERA_PX
    tiles = [start, *(Image.fromarray(i.repeat(factor, 0).repeat(factor, 1)) for i in seen)]
    row = Image.new("RGB", (len(tiles) * (IMAGE_PX + GAP_PX) - GAP_PX, IMAGE_PX), "white")
    for index, tile in enumerate(tiles):
        row.paste(tile, (index * (IMAGE_PX + GAP_PX), 0))
    return row


def render(task: Task, states: np.ndarray, size: int) -> np.ndarray:
    """Render states."""
    with closing(Tabletop(task, 1, size, 1)) as tabletop:
        return tabletop.goal_images(states)


def draw_boxes(image: Image.Image, task: Task) -> None:
    """Draw the hand's box and the goals' boxes into an image of the task."""
    draw = ImageDraw.Draw(image)
    boxes = [(task.goals[name], task.objects[name]) for name in task.scores if name != HAND]
    boxes = [(task.goals[HAND], task.objects[HAND]), *boxes]
    for (region, joints), ink in zip(boxes, GOAL_INKS, strict=False):
        for line in edges(region.low, region.high, joints):
            draw.line(projected(task.camera, line, image.width), fill=ink, width=LINE_PX)
    for line in edges(task.hand_box.low, task.hand_box.high, task.objects[HAND]):
        draw.line(projected(task.camera, line, image.width), fill=HAND_INK, width=LINE_PX)


def edges(
    low: Sequence[float], high: Sequence[float], joints: Sequence[str]
) -> Iterator[np.ndarray]:
    """Yield the edges of a box; an axis without a joint is 0, which is the table's height.

    Joints that are not positions, such as a door's angle, have no box.
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
    """Project points into the camera's image, in pixels from its top left corner."""
    right, down, forward = ((points_m - camera.position_m()) @ np.linalg.inv(camera.axes())).T
    return [
        ((1 + x / depth) * size / 2, (1 + y / depth) * size / 2)
        for x, y, depth in zip(right, down, forward, strict=True)
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
