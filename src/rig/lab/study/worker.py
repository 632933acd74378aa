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

from rig.errors import SweepError
from rig.lab.run import Run, write_json
from rig.lab.study.jobs import Job
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
    """Does one run; what it took.

    The log is locked meanwhile: a worker whose driver was killed may live for some seconds, and
    the next one waits for its end.

    Raises:
        SweepError: This machine does not see the study's directory.
    """
    study, run_id = job.study, job.planned.id
    directory = study.run_directory(run_id)
    if not study.log(run_id).parent.is_dir():
        raise SweepError(
            f"{socket.gethostname()} does not see {study.directory}: put --out on a file "
            "system that all machines share"
        )
    start_s = perf_counter()
    with study.log(run_id).open("a") as log, core_of_our_own() as core:
        fcntl.flock(log, fcntl.LOCK_EX)
        where = {"host": socket.gethostname(), "core": core, "pid": os.getpid()}
        write_json(study.mark(run_id), where)
        if not is_finished(directory):
            with redirect_stdout(log), redirect_stderr(log):
                train_and_tell(job, directory)
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall_s = round(perf_counter() - start_s, 3)
    return where | {"wall_s": wall_s, "peak_memory_bytes": peak_kib * BYTES_PER_KIB}


def train_and_tell(job: Job, directory: Path) -> None:
    """Trains; an error's traceback goes into the log too."""
    try:
        job.trainer(job.planned, directory)
    except Exception:
        traceback.print_exc()
        raise


def train_planned(planned: Planned, directory: Path) -> None:
    """Trains a run: on from its checkpoint if it has one, else anew in a clean directory."""
    if not resumed(directory):
        clear(directory)
        from rig.lab.errands import train_anew

        argv = [*planned.argv, "--out", str(directory)]
        train_anew(planned.config, planned.preset, directory, argv)


def resumed(directory: Path) -> bool:
    """Goes on with a run from its checkpoint; False if it has none."""
    return False


def clear(directory: Path) -> None:
    """Removes what an interrupted run left; refuses to remove what is no run."""
    if not directory.exists():
        return
    if any(directory.iterdir()) and not (directory / "origin.json").is_file():
        raise SweepError(f"{directory} is in the way and is no run: move it elsewhere")
    shutil.rmtree(directory)


def is_finished(directory: Path) -> bool:
    """Whether a run has its last evaluation."""
    return (directory / "config.json").is_file() and bool(Run.open(directory).evaluation())


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
