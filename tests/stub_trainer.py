"""A trainer that writes a run's directory in a fraction of a second, without learning.

``python stub_trainer.py SPEC DIRECTORY`` is a sweep of such runs on one core, for tests that
kill it.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rig.errors import RigError
from rig.runs.run import Run
from rig.sweep.job import Job
from rig.sweep.progress import SweepProgress
from rig.sweep.spec import read_spec
from rig.sweep.study import Study
from rig.sweep.sweep import sweep
from rig.sweep.worker import remove_run


NUM_ROUNDS = 8
ROUND_S = 0.1


def train_stub(job: Job) -> Iterator[tuple[str, RigError | None]]:
    """Log metrics that name seed and round, a slow round at a time."""
    runs = []
    for run_spec in job.runs:
        directory = job.study.run_directory(run_spec.id)
        remove_run(directory)
        origin = {"command": " ".join(run_spec.argv)}
        runs.append(Run.create(directory, run_spec.config, origin))
    for index in range(1, NUM_ROUNDS + 1):
        time.sleep(ROUND_S)
        for run in runs:
            run.log(stub_row(run.config.seed, index))
    for run in runs:
        run.save_evaluation({"seed": run.config.seed, "distances": {}})
        yield run.directory.name, None


def train_all(study: Study) -> None:
    """Train every run of a study, as one job."""
    list(train_stub(Job(runs=study.spec.runs, study=study, trainer=train_stub)))


def stub_row(seed: int, index: int) -> dict[str, float]:
    return {
        "num_env_steps": 100 * index,
        "wall_s": 60.0 * index,
        "eval/puck_distance_m": 0.1 / index + seed,
        "eval/do_nothing_puck_distance_m": 0.2,
    }


def write_spec(path: Path, num_seeds: int = 2, methods: tuple[str, ...] = ("a", "b")) -> Path:
    runs = "".join(f"[[run]]\nmethod = {json.dumps(method)}\n" for method in methods)
    path.write_text(f'tasks = ["Push"]\nseeds = {num_seeds}\n{runs}')
    return path


if __name__ == "__main__":
    study = Study(read_spec(Path(sys.argv[1])), Path(sys.argv[2]))
    sweep(study, SweepProgress(), num_cores=1, trainer=train_stub)
