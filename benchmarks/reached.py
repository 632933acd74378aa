"""Draw docs/reached.png: ``python -m benchmarks.reached RUN...``.

Every run tries the first goal images of its evaluation. Each is drawn above what the camera
showed at the end.
"""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rig.envs.tasks import find_task
from rig.inference.open_run import open_trained
from rig.report.image_grid import Images, draw_image_grid
from rig.training.evaluate import evaluation_goals, try_goals
from rig.training.make_envs import make_envs


NUM_GOALS = 8
IMAGE = Path(__file__).parents[1] / "docs" / "reached.png"


def rows(directory: Path) -> list[tuple[str, Images]]:
    """Return the goal images of a run, and the last images of its attempts."""
    run, agent = open_trained(directory)
    with closing(make_envs(run.config, NUM_GOALS)) as envs:
        trial = try_goals(agent, envs, evaluation_goals(envs, NUM_GOALS))
    name = find_task(run.config.task).name
    return [(f"{name}: goal", trial.goal_frames), ("reached", trial.final_frames)]


def main(argv: Sequence[str]) -> None:
    """Draw all runs in one grid."""
    grid = draw_image_grid([row for name in argv for row in rows(Path(name))], "")
    grid.save(IMAGE, "PNG", optimize=True)
    print(IMAGE)


if __name__ == "__main__":
    main(sys.argv[1:])
