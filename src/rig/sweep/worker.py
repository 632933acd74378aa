"""What a worker does: one job, on one core of its own, with every library on one thread."""

import fcntl
import os
import resource
import shutil
import socket
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from rig.errors import RigError, RunError, StoppedError, SweepError
from rig.runs.atomic_files import write_json
from rig.runs.run import Run, lock_directory
from rig.sweep.directory import Study
from rig.sweep.jobs import FAILED, FINISHED, LOST, Job, Outcome
from rig.sweep.spec import Planned
from rig.training.trackers import TrackerName


ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""The environment in which a worker must start."""
BYTES_PER_KIB = 1024


def work(job: Job) -> tuple[dict[str, Outcome], dict[str, Any]]:
    """Does one job; how each of its runs ended, and what it took.

    The logs are locked meanwhile: a worker whose driver was killed may live for some seconds,
    another study may be at work on the same run, and whoever comes next waits for the end.
    """
    study = job.study
    if not study.log(job.ids[0]).parent.is_dir():
        why = (
            f"{socket.gethostname()} does not see {study.directory}: put --out on a file "
            "system that all machines share"
        )
        return dict.fromkeys(job.ids, Outcome(FAILED, why)), {}
    start_s = perf_counter()
    with ExitStack() as stack:
        logs = [stack.enter_context(study.log(run_id).open("a")) for run_id in job.ids]
        for log in logs:
            fcntl.flock(log, fcntl.LOCK_EX)
        core = stack.enter_context(core_of_our_own())
        where = {"host": socket.gethostname(), "core": core, "pid": os.getpid()}
        for run_id in job.ids:
            write_json(study.mark(run_id), where)
        with redirect_stdout(logs[0]), redirect_stderr(logs[0]):
            outcomes = train_and_tell(job)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = {
        "wall_s": round(perf_counter() - start_s, 3),
        "peak_memory_bytes": peak_kib * BYTES_PER_KIB,
    }
    return outcomes, where | took


def train_and_tell(job: Job) -> dict[str, Outcome]:
    """Trains what is not done; how each run ended. What went wrong is in its log."""
    outcomes = dict.fromkeys(job.ids, Outcome(FINISHED))
    left = [id_ for id_ in job.ids if not is_finished(job.study.run_directory(id_))]
    try:
        for run_id, error in job.trainer(job.only(left)) if left else ():
            left.remove(run_id)
            if error:
                outcomes[run_id] = tell(job.study, run_id, error)
    except StoppedError as error:
        outcomes |= dict.fromkeys(left, Outcome(LOST, str(error)))
    except Exception:
        traceback.print_exc()
        raise
    return outcomes


def tell(study: Study, run_id: str, error: RigError) -> Outcome:
    """How an error ended a run; a failure is told at once, as the job may go on with others."""
    if isinstance(error, StoppedError):
        return Outcome(LOST, str(error))
    with study.log(run_id).open("a") as log:
        traceback.print_exception(error, file=log)
    write_json(study.mark(run_id), study.worker_of(run_id) | {"why": str(error)})
    return Outcome(FAILED, str(error))


def train_planned(
    job: Job, tracker: TrackerName | None = None
) -> Iterator[tuple[str, RigError | None]]:
    """Trains runs, side by side if they are several; each writes what it says into its log."""
    from rig.training.progress import PlainProgress
    from rig.training.run_training import train_runs_together

    runs: dict[str, Run] = {}
    for planned in job.runs:
        try:
            runs[planned.id] = run_of(planned, job)
        except RigError as error:
            yield planned.id, error
    displays = {id_: PlainProgress(partial(write_line, job.study.log(id_))) for id_ in runs}
    for run_id, result in train_runs_together(runs, displays, tracker):
        yield run_id, result if isinstance(result, RigError) else None


def run_of(planned: Planned, job: Job) -> Run:
    """A planned run, as it was left if it can go on, else begun anew in a clean directory."""
    from rig.training.run_training import create_run

    directory = job.study.run_directory(planned.id)
    if can_go_on(directory):
        return Run.open(directory)
    clear(directory)
    argv = [*planned.argv, "--out", str(directory)]
    return create_run(planned.config, directory, argv, len(job.runs))


def write_line(path: Path, line: str) -> None:
    """Adds a line to a log."""
    with path.open("a") as file:
        file.write(f"{line}\n")


def can_go_on(directory: Path) -> bool:
    """Whether there is a run that comes to the same end here as where it was begun."""
    from rig.training.provenance import check_reproducible

    try:
        check_reproducible(Run.open(directory), force=False)
    except RunError:
        return False
    return True


def clear(directory: Path) -> None:
    """Removes what an interrupted run left.

    Raises:
        SweepError: It is no run.
        RunError: Another process trains it.
    """
    if not directory.exists():
        return
    if any(directory.iterdir()) and not (directory / "origin.json").is_file():
        raise SweepError(f"{directory} is in the way and is no run: move it elsewhere")
    with lock_directory(directory):
        shutil.rmtree(directory)


def is_finished(directory: Path) -> bool:
    """Whether a run has its last evaluation."""
    return (directory / "config.json").is_file() and Run.open(directory).is_finished


@contextmanager
def core_of_our_own() -> Iterator[int | None]:
    """Pins this process to a core that no other run on this machine has claimed.

    A claim is a lock on a file, which goes when the process does, however it ends. Where every
    core is claimed, the process stays where it may run already.
    """
    claims = Path(tempfile.gettempdir()) / f"rig-cores-{os.getuid()}"
    claims.mkdir(exist_ok=True)
    allowed = os.sched_getaffinity(0)
    for core in sorted(allowed):
        with (claims / f"{core}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            os.sched_setaffinity(0, {core})
            try:
                yield core
            finally:
                os.sched_setaffinity(0, allowed)
            return
    yield None
