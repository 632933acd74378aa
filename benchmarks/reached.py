"""What robots come to, for a person to see: ``python -m benchmarks.reached RUN...``.

Every finished run tries the first goal pictures of its evaluation, whichever they are. Each is
drawn above what its camera showed at the end (docs/reached.png).
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
PICTURE = Path(__file__).parents[1] / "docs" / "reached.png"


def rows(directory: Path) -> list[tuple[str, Images]]:
    """Goal pictures of a run, and where they were tried to be reached."""
    run, policy = open_trained(directory)
    with closing(make_envs(run.config, NUM_GOALS)) as envs:
        trial = try_goals(policy, envs, evaluation_goals(envs, NUM_GOALS))
    name = find_task(run.config.task).name
    return [(f"{name}: goal", trial.goal_frames), ("reached", trial.final_frames)]


def main(argv: Sequence[str]) -> None:
    """Draws all runs on one sheet."""
    sheet = draw_image_grid([row for name in argv for row in rows(Path(name))], "")
    sheet.save(PICTURE, "PNG", optimize=True)
    print(PICTURE)


if __name__ == "__main__":
    main(sys.argv[1:])
