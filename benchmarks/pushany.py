"""Goals with fewer pucks than practice had: ``python -m benchmarks.pushany RUN...``.

Takes finished runs of PushTwo to the goals of PushAny, in which pucks may be missing, and keeps
how far each puck that is there was left, for each number of them (docs/results/pushany.jsonl).
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.results import KEPT, merged
from rig.lab.evaluate import GOALS_AT_ONCE, evaluation_goals, try_goals
from rig.lab.quantities import metric_of
from rig.lab.study.results import STEPS, TRAINING_S, Result, result_of, rounded, write_results
from rig.lab.summary import HAND, by_num_objects
from rig.lab.trained import open_trained
from rig.lab.worlds import make_world


TASK = "PushAny"
IN_VIEW = {"0": "no puck", "1": "one puck", "2": "two pucks"}


def study(directory: Path) -> list[Result]:
    """What the run comes to with each number of pucks."""
    run, policy = open_trained(directory)
    world = make_world(replace(run.config, task=TASK), GOALS_AT_ONCE)
    trial = try_goals(policy, world, evaluation_goals(world, run.config.evaluate.num_goals))
    told = by_num_objects(trial.distances, trial.do_nothing)
    learned = result_of(run, "ours", "pushany")
    last = {key: learned.curve[key][-1:] for key in (STEPS, TRAINING_S)}
    return [
        replace(
            learned,
            id=f"pushany-{IN_VIEW[num].replace(' ', '-')}-seed{learned.seed}",
            task=f"{TASK}, {IN_VIEW[num]}",
            command=f"python -m benchmarks.pushany runs/{directory.name}",
            curve=last | rows_of(figures),
        )
        for num, figures in told.items()
    ]


def rows_of(figures: dict[str, dict[str, float]]) -> dict[str, list[float]]:
    """A curve of one evaluation; of the hand alone, where there is nothing else."""
    names = [name for name in (HAND, "object_m") if name in figures]
    medians = {f"eval/{metric_of(name)}": figures[name]["median"] for name in names}
    nothing = {
        f"eval/do_nothing_{metric_of(name)}": figures[name]["do_nothing_median"]
        for name in names
    }
    return {key: [rounded(value)] for key, value in (medians | nothing).items()}


def main(argv: Sequence[str]) -> None:
    """Keeps what every run comes to."""
    results = [result for name in argv for result in study(Path(name))]
    path = KEPT / "pushany.jsonl"
    write_results(path, merged(path, results))


if __name__ == "__main__":
    main(sys.argv[1:])
