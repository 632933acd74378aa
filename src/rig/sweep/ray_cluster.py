"""Ray, as a sweep uses it: jobs go in, endings come out. The only file that knows Ray.

On this machine Ray is started for the sweep and ends with it; on a cluster it is joined. Either
way a job takes one core and the memory that its runs will need, and Ray starts it where both
are free; where there are GPUs, a job of several runs takes one of them. Every job has a process
of its own, which starts with one thread for every library.
"""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from rig.errors import SweepError
from rig.sweep.job_memory import job_memory_bytes
from rig.sweep.jobs import FAILED, LOST, Ending, Job, Outcome
from rig.sweep.worker import ONE_THREAD, work


OBJECT_STORE_BYTES = 100 * 2**20
"""Enough for what jobs say when they end, which is all that goes through it."""
GIB = 2**30
ON_CPU = {"JAX_PLATFORMS": "cpu"}
"""A job that takes no GPU must not see one, or all of them would fill the first."""
NUM_AHEAD = 1
"""Jobs that Ray has beside those that go on, so that no core waits. Among those that it has,
Ray begins with any; all others wait here, in their order."""


class RayCluster:
    """A Ray that has been joined: jobs go in, endings come out."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        # A process of its own for each job: memory goes back, and threads start anew.
        self._work = ray.remote(max_calls=1, max_retries=0, num_cpus=1)(work)
        self._waiting: deque[Job] = deque()
        self._jobs: dict[Any, Job] = {}

    @property
    def num_cores(self) -> int:
        """Jobs that can go on at once, as far as cores go."""
        return int(self._ray.cluster_resources().get("CPU", 0))

    @property
    def is_idle(self) -> bool:
        """Whether no job is waiting or going on."""
        return not self._jobs and not self._waiting

    def check_memory(self, jobs: list[Job]) -> None:
        """Raises SweepError if a job needs more memory than any machine could ever give."""
        most = max(node["Resources"].get("memory", 0) for node in self._ray.nodes())
        for job in jobs:
            need = job_memory_bytes(job.runs)
            if need > most:
                raise SweepError(
                    f"{job.name} needs {need / GIB:.1f} GiB of memory, and no machine "
                    f"gives more than {most / GIB:.1f}: lower its buffer_size or num_images"
                    f"{', or seeds_together' if len(job.runs) > 1 else ''}"
                )

    def submit(self, job: Job) -> None:
        """Takes a job in, to be started in its turn, when a core and the memory are free."""
        self._waiting.append(job)
        self._go_on()

    def _go_on(self) -> None:
        """Gives Ray what it can begin soon."""
        while self._waiting and len(self._jobs) < self.num_cores + NUM_AHEAD:
            self._give(self._waiting.popleft())

    def _give(self, job: Job) -> None:
        takes_gpu = len(job.runs) > 1 and self._ray.cluster_resources().get("GPU", 0) >= 1
        options = {
            "memory": job_memory_bytes(job.runs),
            "runtime_env": {"env_vars": ONE_THREAD | ({} if takes_gpu else ON_CPU)},
            "name": job.name,
            "num_gpus": int(takes_gpu),
        }
        self._jobs[self._work.options(**options).remote(job)] = job

    def endings(self, timeout_s: float) -> list[Ending]:
        """The jobs that ended, waiting at most so long for one."""
        try:
            ready, _ = self._ray.wait(
                list(self._jobs), num_returns=len(self._jobs), timeout=timeout_s
            )
        except SystemError as error:  # Ray wraps what was raised at a signal
            raise error.__cause__ or error from None
        endings = [self._ending(ref, self._jobs.pop(ref)) for ref in ready]
        self._go_on()
        return endings

    def _ending(self, ref: Any, job: Job) -> Ending:
        try:
            outcomes, facts = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            why = f"{type(error.cause).__name__}: {first_line(str(error.cause))}"
            outcomes, facts = dict.fromkeys(job.ids, Outcome(FAILED, why)), {}
        except self._ray.exceptions.RayError as error:
            outcomes, facts = dict.fromkeys(job.ids, Outcome(LOST, first_line(str(error)))), {}
        return Ending(job=job, outcomes=outcomes, facts=facts)


@contextmanager
def joined(address: str | None, num_cores: int | None, notices: Any) -> Iterator[RayCluster]:
    """Joins the cluster at an address, or starts Ray here on so many cores; leaves it after.

    Args:
        address: As ``ray.init`` takes it; None: this machine.
        num_cores: Cores of this machine; None: all that we may use.
        notices: A text file for what Ray prints.

    Raises:
        SweepError: Ray is not installed, or nothing answers there.
    """
    ray = import_ray()
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    here = {
        "num_cpus": num_cores or len(os.sched_getaffinity(0)),
        "object_store_memory": OBJECT_STORE_BYTES,
        "include_dashboard": False,
    }
    with redirect_stdout(notices):
        try:
            where = {"address": address} if address else {"address": "local"} | here
            ray.init(**where, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise SweepError(
                f"Ray can't be reached at {address or 'this machine'}: {first_line(str(error))}"
            ) from error
        try:
            yield RayCluster(ray)
        finally:
            ray.shutdown()


RAY_SETTINGS = {
    # Nothing is told to anyone.
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else Ray says at each start that it is about to change how GPUs are hidden.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray's workers are nice (15), and beside other work a run would hardly get on.
    "RAY_worker_niceness": "0",
}
"""What Ray reads from the environment as it starts; what is set there already stays."""


def import_ray() -> Any:
    """Ray, with our settings.

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
            "rig sweep runs on Ray, which is not installed: pip install 'imagined-goals[sweep]'"
        ) from error
    return ray


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
