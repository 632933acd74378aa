"""Goals with fewer pucks than practice had: ``python -m benchmarks.pushany RUN...``.

Takes finished runs of PushTwo to the goals of PushAny, in which pucks may be missing, and keeps
how far each puck that is there was left, for each number of them (docs/results/pushany.jsonl).
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.results import add_results, made_now, place_of
from rig.compare.kept_results import STEPS, TRAINING_S, Result, result_of, rounded
from rig.inference.open_run import open_trained
from rig.training.evaluate import GOALS_AT_ONCE, evaluation_goals, try_goals
from rig.training.make_envs import make_envs
from rig.training.summary import HAND, as_metrics, by_num_objects


TASK = "PushAny"
IN_VIEW = {"0": "no puck", "1": "one puck", "2": "two pucks"}


def study(directory: Path) -> list[Result]:
    """What the run comes to with each number of pucks."""
    run, policy = open_trained(directory)
    envs = make_envs(replace(run.config, task=TASK), GOALS_AT_ONCE)
    trial = try_goals(policy, envs, evaluation_goals(envs, run.config.evaluate.num_goals))
    told = by_num_objects(trial.distances, trial.do_nothing)
    learned = result_of(run, "ours", "pushany")
    last = {key: learned.curve[key][-1:] for key in (STEPS, TRAINING_S)}
    return [
        replace(
            learned,
            id=f"pushany-{IN_VIEW[num].replace(' ', '-')}-seed{learned.seed}",
            task=f"{TASK}, {IN_VIEW[num]}",
            command=f"python -m benchmarks.pushany {place_of(directory)}",
            **made_now(),
            curve=last | last_row(figures),
        )
        for num, figures in told.items()
    ]


def last_row(figures: dict[str, Any]) -> dict[str, list[float]]:
    """A curve of one evaluation; of the hand alone, where there is nothing else."""
    distances = {name: figures[name] for name in (HAND, "object_m") if name in figures}
    return {key: [rounded(value)] for key, value in as_metrics(distances).items()}


def main(argv: Sequence[str]) -> None:
    """Keeps what every run comes to."""
    add_results("pushany", [result for name in argv for result in study(Path(name))])


if __name__ == "__main__":
    main(sys.argv[1:])
