"""The world: pictures and steps per second, beside ``mujoco.Renderer``."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np

from benchmarks.measure import Measure, Spent, alternate, speed_row, spend, timing
from benchmarks.part import Part, Row, Size, Table, Target
from benchmarks.peer import MissingPeerError, Peer, open_renderer
from rig.agent.explore import RandomPolicy
from rig.envs.tabletop import Tabletop
from rig.envs.tasks import PUSH, TASKS, Task
from rig.training.origin import num_cores


TARGET_ENVS = 16
TARGET_PICTURE_MS = 0.25
TARGET_STEPS_PER_S = {48: 5000, 84: 2000}
PERSISTENCE = 0.9


def run(size: Size) -> Part:
    """Measures pictures, steps and the peer."""
    pictures, steps = [], []
    for task, pixels, base_envs, threads in cases(size):
        with closing(Tabletop(task, base_envs, pixels, threads)) as tabletop:
            about = about_row(task, pixels, base_envs, threads)
            pictures.append(about | picture_row(tabletop, size))
            steps.append(about | step_row(tabletop, size))
    tables = [
        Table(title="Pictures: a state set, the arm drawn to it, and seen", rows=pictures),
        Table(title="Steps of 0.1 s: moved and seen", rows=steps),
        beside_renderer(size),
    ]
    return Part(tables=tables, targets=targets(pictures, steps, size))


def cases(size: Size) -> Iterator[tuple[Task, int, int, int]]:
    """Task, pixels, worlds and threads of every measurement."""
    for pixels in size.pixels:
        for base_envs in size.base_envs:
            for threads in sorted({1, num_cores()}):
                yield PUSH, pixels, base_envs, threads
        for task in TASKS:
            if task is not PUSH:
                yield task, pixels, TARGET_ENVS, num_cores()


def about_row(task: Task, pixels: int, base_envs: int, threads: int) -> Row:
    """The columns that name a measurement."""
    return {"task": task.name, "pixels": pixels, "worlds": base_envs, "threads": threads}


def picture_row(tabletop: Tabletop, size: Size) -> Row:
    """The cost of a picture; the states are those of evaluation goals."""
    num = max(size.num_pictures, tabletop.num_envs)
    states = tabletop.task.sample_goals(num, rng=np.random.default_rng(0))
    return speed_row(
        timing(lambda: tabletop.goal_images(states), size.num_rounds), num, "pictures"
    )


def step_row(tabletop: Tabletop, size: Size) -> Row:
    """The cost of a step of one world; every round does the same from the start."""
    num_steps = max(1, size.num_pictures // tabletop.num_envs)
    rng = np.random.default_rng(0)
    policy = RandomPolicy(tabletop.num_envs, tabletop.action_size, PERSISTENCE)
    actions = [policy.act(rng=rng) for _ in range(num_steps)]

    def measure() -> Spent:
        tabletop.reset()
        return spend(lambda: [tabletop.step(action) for action in actions])

    spent = alternate({"steps": measure}, size.num_rounds)["steps"]
    return speed_row(spent, num_steps * tabletop.num_envs, "steps")


def beside_renderer(size: Size) -> Table:
    """A picture of one world, ours and OpenGL's, taking turns."""
    title = "A picture of one world, beside `mujoco.Renderer`"
    try:
        with open_renderer() as peer:
            rows = [row for pixels in size.pixels for row in renderer_rows(peer, pixels, size)]
            return Table(title=title, rows=rows, notes=renderer_notes(peer))
    except MissingPeerError as error:
        return Table(title=title, rows=[], notes=[str(error)])


def renderer_rows(peer: Peer, pixels: int, size: Size) -> list[Row]:
    """One row for each way to take the picture."""
    states = PUSH.sample_goals(size.num_renders, rng=np.random.default_rng(0))
    ask = {"pixels": pixels, "num_pictures": size.num_renders}
    with closing(Tabletop(PUSH, 1, pixels, 1)) as tabletop:
        measures: dict[str, Measure] = {
            "ours, one thread": lambda: spend(lambda: tabletop.goal_images(states)),
            "Renderer, as it comes": lambda: peer.measure(ask | {"is_tuned": False}),
            "Renderer, no multisampling, no shadow map": lambda: peer.measure(
                ask | {"is_tuned": True}
            ),
        }
        spent = alternate(measures, size.num_rounds)
    ours_s = spent["ours, one thread"].best_s
    return [
        {"camera": name, "pixels": pixels}
        | speed_row(one, size.num_renders, "pictures")
        | {"times ours": one.best_s / ours_s}
        for name, one in spent.items()
    ]


def renderer_notes(peer: Peer) -> list[str]:
    """What drew the peer's pictures."""
    return [
        f"OpenGL by {peer.about['backend']}: {peer.about['renderer']}. The scene has "
        f"{peer.about['num_lights']} lights of its own, so only the headlight, which casts no "
        "shadow; scenes with lamps cost the Renderer more."
    ]


def targets(pictures: list[Row], steps: list[Row], size: Size) -> list[Target]:
    """The promises about the world, at 16 worlds of Push."""
    found = [
        Target(
            what=f"a picture at 48 px on one thread ({worlds} worlds)",
            promised=TARGET_PICTURE_MS,
            measured=find(pictures, 48, base_envs, 1, "ms each"),
            unit="ms",
        )
        for base_envs in size.base_envs
    ]
    return found + [
        Target(
            what=f"{TARGET_ENVS} worlds stepped and seen at {pixels} px",
            promised=promised,
            measured=find(steps, pixels, TARGET_ENVS, num_cores(), "steps/s"),
            unit="steps/s",
            more_is_better=True,
        )
        for pixels, promised in TARGET_STEPS_PER_S.items()
    ]


def find(
    rows: list[Row], pixels: int, base_envs: int, threads: int, column: str
) -> float | None:
    """The number in the row of that measurement of Push; None if it wasn't made."""
    wanted = about_row(PUSH, pixels, base_envs, threads)
    return next((row[column] for row in rows if wanted.items() <= row.items()), None)
