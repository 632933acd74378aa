"""Measure what Ray costs: ``python -m benchmarks.sweep [--runs N] [--seconds S]``.

The same runs are made one after the other on one core, by hand and by ``rig sweep``: first one
run, then N. A run waits for some seconds instead of training, so that only its surroundings
are compared: processes, imports, Ray's start and end, bookkeeping. Prints one JSON object: the
cost of a sweep, the cost of each of its runs, and how long the runs of a sweep of eight must be
for all this to stay under the target share of the wall-clock time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.machine import load_average
from rig.errors import RigError
from rig.sweep.job import Job
from rig.sweep.progress import SweepProgress
from rig.sweep.spec import RunSpec, read_spec
from rig.sweep.study import Study
from rig.sweep.sweep import sweep
from rig.sweep.worker import ONE_THREAD


PROMISED_SHARE = 0.05
"""Of the wall-clock time, at most, on one machine."""
NUM_RUNS = 8
"""Runs of the sweep for which the shortest run is computed."""


class Wait:
    """A trainer that waits instead."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, job: Job) -> Iterator[tuple[str, RigError | None]]:
        """Wait, and leave finished runs."""
        for run_spec in job.runs:
            wait(run_spec, job.study.run_directory(run_spec.id), self.seconds)
            yield run_spec.id, None


def wait(run_spec: RunSpec, directory: Path, seconds: float) -> None:
    """Write a run's directory, wait, and mark the run as finished."""
    from rig.runs.run import Run
    from rig.training import run_training  # noqa: F401 (what a real run imports)

    run = Run.create(directory, run_spec.config, {})
    time.sleep(seconds)
    run.save_evaluation({"distances": {}})


def main(argv: Sequence[str]) -> None:
    """Measure both, and print the difference."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sweep", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a run")
    options = parser.parse_args(argv)
    if options.runs < 2:
        parser.error("--runs must be at least 2, to find the cost of one more run")
    os.environ |= ONE_THREAD
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    load = load_average()
    ways: dict[str, Callable[[Study, float], None]] = {"by_hand": by_hand, "swept": swept}
    spent = {
        name: [timed(way, num, options.seconds) for num in (1, options.runs)]
        for name, way in ways.items()
    }
    more = [swept - hand for swept, hand in zip(spent["swept"], spent["by_hand"], strict=True)]
    per_run_s = (more[1] - more[0]) / (options.runs - 1)
    once_s = more[0] - per_run_s
    enough_s = (once_s / NUM_RUNS + per_run_s) / PROMISED_SHARE
    report = {
        "seconds_each": options.seconds,
        **{f"{name}_1_run_s": round(seconds[0], 2) for name, seconds in spent.items()},
        **{
            f"{name}_{options.runs}_runs_s": round(seconds[1], 2)
            for name, seconds in spent.items()
        },
        "once_s": round(once_s, 2),
        "per_run_s": round(per_run_s, 2),
        "promised_share": PROMISED_SHARE,
        f"kept_by_{NUM_RUNS}_runs_of_s": round(enough_s, 1),
        "load_before": load,
        "load_after": load_average(),
    }
    print(json.dumps(report, indent=2))


def timed(make: Callable[[Study, float], None], num_runs: int, seconds: float) -> float:
    """Return the seconds that all runs took together."""
    with tempfile.TemporaryDirectory() as place:
        spec = Path(place) / "waiting.toml"
        spec.write_text(f'tasks = ["Push"]\nseeds = {num_runs}\n')
        study = Study(read_spec(spec), Path(place) / "study")
        start_s = perf_counter()
        make(study, seconds)
        return perf_counter() - start_s


def by_hand(study: Study, seconds: float) -> None:
    """Make every run in a process of its own."""
    code = (
        "import sys; from pathlib import Path; from benchmarks.sweep import wait; "
        "from rig.sweep.spec import read_spec; "
        "run = read_spec(Path(sys.argv[1])).runs[int(sys.argv[2])]; "
        "wait(run, Path(sys.argv[3]) / run.id, float(sys.argv[4]))"
    )
    for index in range(len(study.spec.runs)):
        arguments = [study.spec.path, str(index), study.directory, str(seconds)]
        subprocess.run([sys.executable, "-c", code, *arguments], check=True)


def swept(study: Study, seconds: float) -> None:
    """Make the same runs in a sweep."""
    sweep(study, SweepProgress(), num_cores=1, trainer=Wait(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
