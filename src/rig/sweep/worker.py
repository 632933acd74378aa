"""The process of one job: it trains on one core, with every library on one thread."""

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
from rig.runs.run import Run, lock_directory
from rig.sweep.event_log import FAILED, FINISHED, LOST, STARTED
from rig.sweep.job import Job
from rig.sweep.spec import RunSpec
from rig.training.trackers import TrackerName


ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""The environment in which a worker must start."""
BYTES_PER_KIB = 1024


class WorkerStoppedError(Exception):
    """A signal stopped a worker; Ray tries the job again."""


def run_job(job: Job) -> None:
    """Train the runs of a job that have not ended, and log how each attempt starts and ends.

    The log file of each run stays locked meanwhile. The second process waits: another study
    may train the same run, and a worker whose driver was killed may live for some seconds.

    Raises:
        SweepError: This machine does not see the directory of the study.
        WorkerStoppedError: A signal came. The runs have their checkpoints.
    """
    study = job.study
    if not study.log(job.ids[0]).parent.is_dir():
        raise SweepError(
            f"{socket.gethostname()} does not see {study.directory}: choose an --out on a file "
            "system that all machines share"
        )
    with ExitStack() as stack:
        logs = [stack.enter_context(study.log(run_id).open("a")) for run_id in job.ids]
        for log in logs:
            fcntl.flock(log, fcntl.LOCK_EX)
        left = job.only(run_id for run_id in job.ids if not study.has_ended(run_id))
        if left.runs:
            core = stack.enter_context(claim_core())
            with redirect_stdout(logs[0]), redirect_stderr(logs[0]):
                train_and_log(left, core)


def train_and_log(job: Job, core: int | None) -> None:
    """Train the runs of a job; log the start and the end of each.

    Raises:
        WorkerStoppedError: A signal came.
    """
    worker: dict[str, Any] = {"host": socket.gethostname(), "core": core, "pid": os.getpid()}
    start_s, stop = perf_counter(), None
    for run_id in job.ids:
        job.study.log_event(run_id, STARTED, **worker)
    for run_id, error in train_each(job):
        event, why = FINISHED, str(error or "")
        if isinstance(error, StoppedError):
            event, stop = LOST, error
        elif error:
            event = FAILED
            with job.study.log(run_id).open("a") as log:
                traceback.print_exception(error, file=log)
            if not isinstance(error, RigError):  # a bug, whose message alone says little
                why = f"{type(error).__name__}: {why}"
        job.study.log_event(run_id, event, why, **worker, **cost_since(start_s))
    if stop:
        raise WorkerStoppedError(str(stop))


def train_each(job: Job) -> Iterator[tuple[str, Exception | None]]:
    """Yield how each run of a job ends. A stop or a bug ends all that are left."""
    left = list(job.ids)
    try:
        for run_id, error in job.trainer(job):
            left.remove(run_id)
            yield run_id, error
    except Exception as error:  # noqa: BLE001
        for run_id in left:
            yield run_id, error


def cost_since(start_s: float) -> dict[str, Any]:
    """Return the seconds since a moment, and the peak memory of this process."""
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "wall_s": round(perf_counter() - start_s, 3),
        "peak_memory_bytes": peak_kib * BYTES_PER_KIB,
    }


def train_runs(
    job: Job, tracker: TrackerName | None = None
) -> Iterator[tuple[str, RigError | None]]:
    """Train the runs of a job, together if they are several; the output goes to their logs."""
    from rig.training.progress import PlainProgress
    from rig.training.run_training import train_runs_together

    runs: dict[str, Run] = {}
    for run_spec in job.runs:
        try:
            runs[run_spec.id] = open_or_create(run_spec, job)
        except RigError as error:
            yield run_spec.id, error
    displays = {id_: PlainProgress(partial(write_line, job.study.log(id_))) for id_ in runs}
    for run_id, result in train_runs_together(runs, displays, tracker):
        yield run_id, result if isinstance(result, RigError) else None


def open_or_create(run_spec: RunSpec, job: Job) -> Run:
    """Return the run to resume, or else a new one in an empty directory."""
    from rig.training.run_training import create_run

    directory = job.study.run_directory(run_spec.id)
    if can_resume(directory):
        return Run.open(directory)
    remove_run(directory)
    argv = [*run_spec.argv, "--out", str(directory)]
    return create_run(run_spec.config, directory, argv, len(job.runs))


def write_line(path: Path, line: str) -> None:
    """Append a line to a log."""
    with path.open("a") as file:
        file.write(f"{line}\n")


def can_resume(directory: Path) -> bool:
    """Return whether there is a run that will end here with the same bytes."""
    from rig.training.provenance import check_reproducible

    try:
        check_reproducible(Run.open(directory), force=False)
    except RunError:
        return False
    return True


def remove_run(directory: Path) -> None:
    """Remove the directory of an interrupted run, if there is one.

    Raises:
        SweepError: The directory holds something other than a run.
        RunError: Another process trains the run.
    """
    if not directory.exists():
        return
    if any(directory.iterdir()) and not (directory / "origin.json").is_file():
        raise SweepError(
            f"{directory} is not a run but is where one must go: move it elsewhere"
        )
    with lock_directory(directory):
        shutil.rmtree(directory)


@contextmanager
def claim_core() -> Iterator[int | None]:
    """Pin this process to a core that no other run on this machine has claimed.

    A claim is a lock on a file, so it ends with the process. If every core is claimed, the
    process is not pinned.
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
