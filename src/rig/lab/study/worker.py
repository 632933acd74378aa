"""What a worker does: one run, on one core of its own, with every library on one thread."""

import fcntl
import os
import resource
import shutil
import socket
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import Any

from rig.errors import RigError, RunError, StoppedError, SweepError
from rig.lab.durable import write_json
from rig.lab.run import Run
from rig.lab.study.jobs import FAILED, FINISHED, LOST, Job
from rig.lab.study.spec import Planned


ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""The environment in which a worker must start."""
BYTES_PER_KIB = 1024


def work(job: Job) -> dict[str, Any]:
    """Does one run; how it ended, as ``event`` and ``why``, and what it took.

    The log is locked meanwhile: a worker whose driver was killed may live for some seconds, and
    the next one waits for its end.
    """
    study, run_id = job.study, job.planned.id
    if not study.log(run_id).parent.is_dir():
        why = (
            f"{socket.gethostname()} does not see {study.directory}: put --out on a file "
            "system that all machines share"
        )
        return {"event": FAILED, "why": why}
    start_s = perf_counter()
    with study.log(run_id).open("a") as log, core_of_our_own() as core:
        fcntl.flock(log, fcntl.LOCK_EX)
        where = {"host": socket.gethostname(), "core": core, "pid": os.getpid()}
        write_json(study.mark(run_id), where)
        with redirect_stdout(log), redirect_stderr(log):
            event, why = train_and_tell(job, study.run_directory(run_id))
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = {
        "wall_s": round(perf_counter() - start_s, 3),
        "peak_memory_bytes": peak_kib * BYTES_PER_KIB,
    }
    return {"event": event, "why": why} | where | took


def train_and_tell(job: Job, directory: Path) -> tuple[str, str]:
    """Trains unless that is done; how it ended, and why. What went wrong is in the log."""
    try:
        if not is_finished(directory):
            job.trainer(job.planned, directory)
    except StoppedError as error:
        return LOST, str(error)
    except RigError as error:
        traceback.print_exc()
        return FAILED, str(error)
    except Exception:
        traceback.print_exc()
        raise
    return FINISHED, ""


def train_planned(planned: Planned, directory: Path) -> None:
    """Trains a run: on from its checkpoint if it can, else anew in a clean directory."""
    from rig.lab.errands import train_anew, train_on

    if can_go_on(directory):
        train_on(directory)
        return
    clear(directory)
    train_anew(
        planned.config, planned.preset, directory, [*planned.argv, "--out", str(directory)]
    )


def can_go_on(directory: Path) -> bool:
    """Whether there is a run that comes to the same end here as where it was begun."""
    from rig.lab.provenance import refuse_another_end

    try:
        refuse_another_end(Run.open(directory), force=False)
    except RunError:
        return False
    return True


def clear(directory: Path) -> None:
    """Removes what an interrupted run left; refuses to remove what is no run."""
    if not directory.exists():
        return
    if any(directory.iterdir()) and not (directory / "origin.json").is_file():
        raise SweepError(f"{directory} is in the way and is no run: move it elsewhere")
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
