"""Jobs and their endings: what a sweep and the machines that do its work say to each other."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, runtime_checkable

from rig.errors import RigError
from rig.sweep.directory import Study
from rig.sweep.spec import Planned


FINISHED, FAILED, LOST = "finished", "failed", "lost"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one process does: a run, or several seeds of one setting together."""

    runs: tuple[Planned, ...]
    study: Study
    """Where they go."""
    trainer: "Trainer"

    @property
    def ids(self) -> list[str]:
        """The names of its runs."""
        return [planned.id for planned in self.runs]

    @property
    def name(self) -> str:
        """What it is called: ``push-a-seed0``, ``push-a-seed0 and 4 more``."""
        more = f" and {len(self.runs) - 1} more" if len(self.runs) > 1 else ""
        return self.ids[0] + more

    def only(self, ids: Iterable[str]) -> "Job":
        """The same with fewer runs."""
        kept = set(ids)
        return replace(self, runs=tuple(run for run in self.runs if run.id in kept))


Trainer = Callable[[Job], Iterator[tuple[str, RigError | None]]]
"""Trains the runs of a job, each on from what lies there if it can; tells each run's name as it
ends, and the error that ended it, if one did."""


class Outcome(NamedTuple):
    """How one run of a job ended."""

    event: str
    """finished, failed (it raised an error), or lost (its process or machine went away)."""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ended."""

    job: Job
    outcomes: Mapping[str, Outcome]
    """Of each of its runs."""
    facts: dict[str, Any]
    """Where it ran and what it took, as far as that is known."""


@runtime_checkable
class Cluster(Protocol):
    """Machines with cores: jobs go in, endings come out."""

    @property
    def num_cores(self) -> int:
        """Jobs that can go on at once, as far as cores go."""

    @property
    def is_idle(self) -> bool:
        """Whether no job is waiting or going on."""

    def submit(self, job: Job) -> None:
        """Takes a job in, to be started when there is room for it."""

    def endings(self, timeout_s: float) -> list[Ending]:
        """The jobs that ended, waiting at most so long for one."""


def jobs_of(study: Study, runs: Iterable[Planned], trainer: Trainer) -> list[Job]:
    """Runs as jobs, in their order: seeds of one setting together, as the plan says."""
    waiting: dict[tuple[str, str], list[Planned]] = {}
    jobs: list[list[Planned]] = []
    for planned in runs:
        setting = (planned.method, planned.config.task)
        seats = waiting.get(setting)
        if seats is None or len(seats) >= planned.seeds_together:
            seats = waiting[setting] = []
            jobs.append(seats)
        seats.append(planned)
    return [Job(runs=tuple(seats), study=study, trainer=trainer) for seats in jobs]
