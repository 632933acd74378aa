"""What Ray costs: ``python -m benchmarks.sweep [--runs N] [--seconds S]``.

The same runs, one after the other on one core, by hand and by ``rig sweep``: one run, and N. A
run waits for some seconds in place of training, so that what is compared is all that surrounds
a run: a process, imports, Ray's start and end, and bookkeeping. Prints one JSON object: what
a sweep costs once, what each of its runs costs, and how long the runs of a sweep of eight must
be for both together to stay under the share of wall-clock that was promised.
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
from rig.sweep.directory import Study
from rig.sweep.jobs import Job
from rig.sweep.progress import PlainBoard
from rig.sweep.spec import Planned, read_spec
from rig.sweep.sweep import sweep
from rig.sweep.worker import ONE_THREAD


PROMISED_SHARE = 0.05
"""Of wall-clock, at most, on one machine."""
NUM_RUNS = 8
"""Runs of the sweep for which that is told."""


class Wait:
    """Trains nothing, for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, job: Job) -> Iterator[tuple[str, RigError | None]]:
        """Waits, and leaves finished runs."""
        for planned in job.runs:
            wait(planned, job.study.run_directory(planned.id), self.seconds)
            yield planned.id, None


def wait(planned: Planned, directory: Path, seconds: float) -> None:
    """Writes a run's directory, waits, and says that it is finished."""
    from rig.runs.run import Run
    from rig.training import run_training  # noqa: F401 (what a real run imports)

    run = Run.create(directory, planned.config, {})
    time.sleep(seconds)
    run.save_evaluation({"distances": {}})


def main(argv: Sequence[str]) -> None:
    """Measures both, and prints what the difference is."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sweep", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0, help="what a run waits")
    options = parser.parse_args(argv)
    if options.runs < 2:
        parser.error("--runs must be at least 2, or nothing tells what one more run takes")
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
    told = {
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
    print(json.dumps(told, indent=2))


def timed(way: Callable[[Study, float], None], num_runs: int, seconds: float) -> float:
    """Seconds of wall-clock that all runs took together."""
    with tempfile.TemporaryDirectory() as place:
        spec = Path(place) / "waiting.toml"
        spec.write_text(f'tasks = ["Push"]\nseeds = {num_runs}\n')
        study = Study(read_spec(spec), Path(place) / "study")
        start_s = perf_counter()
        way(study, seconds)
        return perf_counter() - start_s


def by_hand(study: Study, seconds: float) -> None:
    """Every run in a process of its own."""
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
    """The same by a sweep."""
    board = PlainBoard(lambda line: print(line, file=sys.stderr))
    sweep(study, board, num_cores=1, trainer=Wait(seconds))


if __name__ == "__main__":
    main(sys.argv[1:])
