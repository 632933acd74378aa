"""A sweep: train every run of a study that has not ended, side by side.

After any kill the same command continues: finished runs are skipped, interrupted ones resume
from their checkpoint or start again. A run whose process is lost is tried again; a run that
raised an error is not, because it would raise it again.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from rig.errors import SweepError
from rig.runs.interrupt import Interrupt
from rig.sweep.event_log import FAILED
from rig.sweep.job import Job, Trainer, make_jobs
from rig.sweep.progress import SweepProgress
from rig.sweep.ray_cluster import connect
from rig.sweep.status import DONE, RunStatus
from rig.sweep.status import FAILED as HAS_FAILED
from rig.sweep.study import Study
from rig.sweep.worker import train_runs


@runtime_checkable
class Cluster(Protocol):
    """Machines that run jobs."""

    @property
    def num_cores(self) -> int:
        """Jobs that can run at once."""

    def check_memory(self, jobs: Sequence[Job]) -> None:
        """Raise SweepError if a job needs more memory than any machine has."""

    def run_jobs(self, jobs: Sequence[Job]) -> Iterator[list[tuple[Job, str]]]:
        """Run jobs. Yield now and then the jobs that were given up, and why."""


def sweep(
    study: Study,
    progress: SweepProgress,
    *,
    address: str | None = None,
    num_cores: int | None = None,
    again: bool = False,
    trainer: Trainer = train_runs,
) -> list[RunStatus]:
    """Train what is left of a study, and return the status of every run.

    Args:
        study: The runs to train, and their directory.
        progress: Shows the progress.
        address: The address of a Ray cluster; None for this machine.
        num_cores: Cores of this machine to use; None for all that this process may use.
        again: Also try the runs that failed.
        trainer: Trains the runs of one job.

    Raises:
        SweepError: The sweep can't start, or another one is running in this directory.
        StoppedError: A signal came. The running runs have their checkpoints.
    """
    study.prepare()
    with study.locked(), (study.directory / "ray.log").open("a") as output:
        if again:
            study.reset_failed()
        pairs = zip(study.spec.runs, study.statuses(), strict=True)
        left = [run for run, status in pairs if status.state not in (DONE, HAS_FAILED)]
        if jobs := make_jobs(study, left, trainer):
            # Entered after Ray has started, which installs signal handlers of its own.
            stop = Interrupt(progress.note, "the same command continues")
            with connect(address, num_cores, output) as cluster, stop, progress:
                cluster.check_memory(jobs)
                run_all(study, progress, cluster, jobs, stop)
    return study.statuses()


def run_all(
    study: Study,
    progress: SweepProgress,
    cluster: Cluster,
    jobs: Sequence[Job],
    stop: Interrupt,
) -> None:
    """Run every job; a run that was given up has failed.

    Raises:
        StoppedError: A signal came.
    """
    progress.update(study.statuses(), cluster.num_cores)
    for given_up in cluster.run_jobs(jobs):
        for job, why in given_up:
            for run_id in job.ids:
                if not study.has_ended(run_id):
                    study.log_event(run_id, FAILED, why)
        progress.update(study.statuses(), cluster.num_cores)
        stop.check()


def check_failures(statuses: Sequence[RunStatus], command: str) -> None:
    """Raise SweepError if runs have failed, and say how to learn why."""
    failed = [status for status in statuses if status.state == HAS_FAILED]
    if failed:
        raise SweepError(
            f"{len(failed)} of {len(statuses)} runs failed; the first is {failed[0].id}: "
            f"{failed[0].why}; `{command} --status` shows all, `{command} --again` retries them"
        )
