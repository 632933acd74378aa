"""A sweep: every run of a study that is not done yet, side by side, until all have ended.

Whatever is killed, `rig sweep` said again goes on: finished runs are skipped, interrupted ones
go on from their checkpoint or begin anew. A run whose process is killed is tried again, and the
journal says so; one that raised an error is not, because it would raise it again.
"""

from collections import Counter
from typing import Any

from rig.errors import SweepError
from rig.runs.interrupt import Interrupt
from rig.sweep.directory import Study
from rig.sweep.jobs import FAILED, LOST, Cluster, Job, Outcome, Trainer, jobs_of
from rig.sweep.progress import Board
from rig.sweep.ray_cluster import joined
from rig.sweep.status import DONE, Standing
from rig.sweep.status import FAILED as HAS_FAILED
from rig.sweep.worker import train_planned


POLL_S = 1.0
MOST_LOST = 4
"""A run whose process was killed so often in one sweep has failed."""


def sweep(
    study: Study,
    board: Board,
    *,
    address: str | None = None,
    num_cores: int | None = None,
    again: bool = False,
    trainer: Trainer = train_planned,
) -> list[Standing]:
    """Does what is left of a study; where every run stands afterwards.

    Args:
        study: What is to be done, and where.
        board: Shows the progress.
        address: A Ray cluster's; None: this machine.
        num_cores: How many of this machine's cores; None: all that we may use.
        again: Whether runs that failed are tried again.
        trainer: Trains the runs of one job.

    Raises:
        SweepError: It can't be begun, or another driver is at it.
        StoppedError: A stop was asked for; what goes on has its checkpoints.
    """
    study.begin()
    with study.driving(), (study.directory / "ray.log").open("a") as notices:
        left = [
            planned
            for planned, standing in zip(study.spec.runs, study.standings(), strict=True)
            if standing.state != DONE and (again or standing.state != HAS_FAILED)
        ]
        if jobs := jobs_of(study, left, trainer):
            # After Ray has begun, which has its own idea of what to print at a signal.
            stop = Interrupt(board.note, "the same command goes on")
            with joined(address, num_cores, notices) as cluster, stop, board:
                cluster.check_memory(jobs)
                drive(study, board, cluster, jobs)
    return study.standings()


def drive(study: Study, board: Board, cluster: Cluster, jobs: list[Job]) -> None:
    """Submits every job, and again those that are lost, until none is left."""
    num_lost: Counter[str] = Counter()
    for job in jobs:
        for run_id in job.ids:
            study.forget(run_id)
        cluster.submit(job)
    while not cluster.is_idle:
        for ending in cluster.endings(POLL_S):
            outcomes = {id_: for_good(study, id_, end) for id_, end in ending.outcomes.items()}
            lost = [run_id for run_id, end in outcomes.items() if end.event == LOST]
            num_lost.update(lost)
            again = [run_id for run_id in lost if num_lost[run_id] < MOST_LOST]
            for run_id, outcome in outcomes.items():
                is_over = run_id not in again
                board.note(conclude(study, run_id, outcome, ending.facts, is_over=is_over))
            if again:
                cluster.submit(ending.job.only(again))
        board.show(study.standings(), cluster.num_cores)


def for_good(study: Study, run_id: str, outcome: Outcome) -> Outcome:
    """How a run ended: one that had failed before its process was lost is not tried again."""
    why = study.failure(run_id)
    return Outcome(FAILED, why) if outcome.event == LOST and why else outcome


def conclude(
    study: Study, run_id: str, outcome: Outcome, facts: dict[str, Any], *, is_over: bool
) -> str:
    """Writes a run's ending into the journal; what to tell about it."""
    event, why = outcome
    where = study.worker_of(run_id)
    study.note(run_id, event, why, **where | facts)
    if event == LOST and is_over:
        often = f"its process was lost {MOST_LOST} times; the last time: {why}"
        study.note(run_id, FAILED, often, **where)
    study.unmark(run_id)
    after = "" if is_over else "; it is tried again"
    return f"{run_id}: {event}{': ' if why else ''}{why}{after}"


def check_failures(standings: list[Standing], command: str) -> None:
    """Raises SweepError if runs have failed, and says how to learn why."""
    failed = [standing for standing in standings if standing.state == HAS_FAILED]
    if failed:
        raise SweepError(
            f"{len(failed)} of {len(standings)} runs failed, {failed[0].id} the first: "
            f"{failed[0].why}; `{command} --status` tells all, `{command} --again` tries again"
        )
