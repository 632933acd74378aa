"""A trainer that only writes a run's directory, in a fraction of a second.

``python stub_trainer.py SPEC DIRECTORY`` is a sweep of such runs on one core, for tests that
kill it.
"""

import json
import sys
import time
from pathlib import Path

from rig.lab.run import Run
from rig.lab.study.board import PlainBoard
from rig.lab.study.directory import Study
from rig.lab.study.spec import Planned, read_spec
from rig.lab.study.sweep import sweep
from rig.lab.study.worker import clear


NUM_ROUNDS = 8
ROUND_S = 0.1


def train_stub(planned: Planned, directory: Path) -> None:
    """Metrics that tell seed and round, a slow round at a time."""
    clear(directory)
    run = Run.create(directory, planned.config, {"command": " ".join(planned.argv)})
    for index in range(1, NUM_ROUNDS + 1):
        time.sleep(ROUND_S)
        run.log(stub_row(planned.config.seed, index))
    run.save_evaluation({"seed": planned.config.seed, "distances": {}})


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
    sweep(study, PlainBoard(print), num_cores=1, trainer=train_stub)
