"""Test runs of PushTwo on goals with fewer pucks: ``python -m benchmarks.pushany RUN...``.

The goals are those of PushAny, in which pucks may be missing. docs/results/pushany.jsonl gets
the distance of the pucks for each number of pucks in view.
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
    """Return the results of a run for each number of pucks."""
    run, agent = open_trained(directory)
    envs = make_envs(replace(run.config, task=TASK), GOALS_AT_ONCE)
    trial = try_goals(agent, envs, evaluation_goals(envs, run.config.evaluate.num_goals))
    by_num = by_num_objects(trial.distances, trial.do_nothing)
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
        for num, figures in by_num.items()
    ]


def last_row(figures: dict[str, Any]) -> dict[str, list[float]]:
    """Return a curve of one evaluation, of the hand and of the pucks if there are any."""
    distances = {name: figures[name] for name in (HAND, "object_m") if name in figures}
    return {key: [rounded(value)] for key, value in as_metrics(distances).items()}


def main(argv: Sequence[str]) -> None:
    """Keep the results of every run."""
    add_results("pushany", [result for name in argv for result in study(Path(name))])


if __name__ == "__main__":
    main(sys.argv[1:])
