"""Jobs and their endings: what a sweep and the machines that do its work say to each other."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from rig.lab.study.directory import Study
from rig.lab.study.spec import Planned


FINISHED, FAILED, LOST = "finished", "failed", "lost"

Trainer = Callable[[Planned, Path], None]
"""Trains a run into a directory, going on from what lies there if it can."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run, where it goes, and what trains it."""

    planned: Planned
    study: Study
    trainer: Trainer


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ended."""

    job: Job
    event: str
    """finished, failed (it raised an error), or lost (its process or machine went away)."""
    why: str
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
