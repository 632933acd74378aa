"""Ray as a sweep uses it. This is the only file that knows Ray.

On this machine Ray is started for the sweep and ends with it; a cluster is joined. A job takes
one core and the memory that its runs will need; Ray starts it when both are free. Where there
are GPUs, a job of several runs takes one. Every job has a process of its own. If that process
is lost, Ray starts the job again.
"""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

from rig.errors import SweepError
from rig.sweep.job import Job
from rig.sweep.worker import ONE_THREAD, WorkerStoppedError, run_job


MAX_RETRIES = 3
"""Attempts of a job after the first, if its process is lost."""
POLL_S = 1.0
OBJECT_STORE_BYTES = 100 * 2**20
"""Ray's default is a third of the memory, and jobs return nothing."""
GIB = 2**30
ON_CPU = {"JAX_PLATFORMS": "cpu"}
"""A job without a GPU must not see one, or all such jobs would fill the first."""
NUM_AHEAD = 1
"""Jobs given to Ray beyond those that run. Ray does not keep their order, so the rest waits."""
RAY_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray warns at each start that it will hide GPUs in another way.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # By default Ray's workers run at nice 15, and get little done next to other work.
    "RAY_worker_niceness": "0",
}
"""Environment variables that Ray reads as it starts; those that are set already stay."""


class RayCluster:
    """A Ray that jobs can be given to."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        # With max_calls=1 each job has a new process: memory is freed, and threads start again.
        self._run_job = ray.remote(
            num_cpus=1,
            max_calls=1,
            max_retries=MAX_RETRIES,
            retry_exceptions=[WorkerStoppedError],
        )(run_job)

    @property
    def num_cores(self) -> int:
        """Jobs that can run at once."""
        return int(self._ray.cluster_resources().get("CPU", 0))

    def check_memory(self, jobs: Sequence[Job]) -> None:
        """Raise SweepError if a job needs more memory than any machine has."""
        most = max(node["Resources"].get("memory", 0) for node in self._ray.nodes())
        for job in jobs:
            if job.memory_bytes > most:
                raise SweepError(
                    f"{job.name} needs {job.memory_bytes / GIB:.1f} GiB of memory, and no "
                    f"machine gives more than {most / GIB:.1f}: lower its buffer_size or "
                    f"num_images{', or seeds_together' if len(job.runs) > 1 else ''}"
                )

    def run_jobs(self, jobs: Sequence[Job]) -> Iterator[list[tuple[Job, str]]]:
        """Run jobs in their order.

        Yields:
            Every second, the jobs that Ray gave up since, and why. Most lists are empty.
        """
        waiting, running = deque(jobs), dict[Any, Job]()
        while waiting or running:
            while waiting and len(running) < self.num_cores + NUM_AHEAD:
                job = waiting.popleft()
                running[self._submit(job)] = job
            ended, _ = self._ray.wait(list(running), num_returns=len(running), timeout=POLL_S)
            pairs = [(running.pop(ref), self._error(ref)) for ref in ended]
            yield [(job, why) for job, why in pairs if why]

    def _submit(self, job: Job) -> Any:
        return self._run_job.options(**self.options_of(job)).remote(job)

    def options_of(self, job: Job) -> dict[str, Any]:
        """Return what Ray is asked for: memory, the environment, and a GPU for several runs."""
        takes_gpu = len(job.runs) > 1 and self._ray.cluster_resources().get("GPU", 0) >= 1
        return {
            "memory": job.memory_bytes,
            "runtime_env": {"env_vars": ONE_THREAD | ({} if takes_gpu else ON_CPU)},
            "name": job.name,
            "num_gpus": int(takes_gpu),
        }

    def _error(self, ref: Any) -> str:
        """Return why a job that ended did not end by itself; else nothing."""
        try:
            self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            return first_line(str(error.cause))
        except self._ray.exceptions.RayError as error:
            return f"its process was lost {MAX_RETRIES + 1} times: {first_line(str(error))}"
        return ""


@contextmanager
def connect(address: str | None, num_cores: int | None, output: Any) -> Iterator[RayCluster]:
    """Join the cluster at an address, or start Ray on this machine; leave it afterwards.

    Args:
        address: As ``ray.init`` takes it; None for this machine.
        num_cores: Cores of this machine; None for all that this process may use.
        output: A text file for what Ray prints.

    Raises:
        SweepError: Ray is not installed, or nothing answers at the address.
    """
    ray = import_ray()
    here = {
        "address": "local",
        "num_cpus": num_cores or len(os.sched_getaffinity(0)),
        "object_store_memory": OBJECT_STORE_BYTES,
        "include_dashboard": False,
    }
    with redirect_stdout(output):
        try:
            where = {"address": address} if address else here
            ray.init(**where, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SweepError(
                f"Ray can't be reached at {address or 'this machine'}: {first_line(str(error))}"
            ) from error
        try:
            yield RayCluster(ray)
        finally:
            ray.shutdown()


def import_ray() -> Any:
    """Import Ray with our settings.

    Raises:
        SweepError: It is not installed.
    """
    for name, value in RAY_SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise SweepError(
            "rig sweep needs Ray, which is not installed: pip install 'imagined-goals[sweep]'"
        ) from error
    return ray


def first_line(text: str) -> str:
    """Return the first line that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
