"""A study's directory: its runs, and what happened to each.

::

    sweep.json       the plan, as the last sweep began it
    journal.jsonl    a line for each attempt that starts or ends: where, and why it failed
    logs/ID.log      what a run printed; locked by the process that trains the run
    ID/              the run

The status of a run is read off these files and nothing else, so that a sweep may be killed at
any time.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.errors import RunError, SweepError
from rig.runs.atomic_files import write_json
from rig.runs.output_paths import check_new_directory
from rig.runs.run import Run, lock_directory
from rig.sweep.event_log import (
    RESET,
    STARTED,
    Event,
    count_lost,
    failure,
    log_event,
    read_events,
)
from rig.sweep.plan import FILE as PLAN
from rig.sweep.spec import RunSpec, Spec
from rig.sweep.status import (
    DONE,
    FAILED,
    INTERRUPTED,
    RUNNING,
    WAITING,
    RunStatus,
    latest_distances,
    latest_steps,
)


WORKER = ("host", "core", "pid")
"""What the event log says about the process that trains a run."""


class Study:
    """The directory of one study."""

    def __init__(self, spec: Spec, directory: Path, *, full_spec: Spec | None = None) -> None:
        """Name the study; :meth:`prepare` makes its directory.

        Args:
            spec: The runs to be done now.
            directory: The directory of the study.
            full_spec: The plan that ``spec`` is a part of; by default ``spec`` is all of it.
        """
        self.spec = spec
        self.directory = directory
        self._full_spec = full_spec or spec
        self._source_of = {run.id: run.source_study for run in spec.runs}
        self._done: dict[str, RunStatus] = {}
        """A run that is done stays done, so it need not be read again."""

    def run_directory(self, run_id: str) -> Path:
        """Return the directory of a run, in this study or in the one that it is taken from."""
        return self._owner(run_id) / run_id

    def log(self, run_id: str) -> Path:
        """Return the file that receives what a run prints."""
        return self._owner(run_id) / "logs" / f"{run_id}.log"

    def log_event(self, run_id: str, event: str, why: str = "", **facts: Any) -> None:
        """Append an event of a run to the event log."""
        log_event(self._owner(run_id) / "journal.jsonl", run_id, event, why, **facts)

    def events(self) -> dict[str, list[Event]]:
        """Return the events of each run, oldest first."""
        owners = {run.id: self._owner(run.id) for run in self.spec.runs}
        logs = {owner: read_events(owner / "journal.jsonl") for owner in set(owners.values())}
        return {run_id: logs[owner].get(run_id, []) for run_id, owner in owners.items()}

    def prepare(self) -> None:
        """Make the directory.

        Raises:
            ConfigError: It can't be made there.
            SweepError: A run there was made with other settings than the plan has.
        """
        check_new_directory(self.directory)
        for run in self.spec.runs:
            self._check_settings(run)
            self.log(run.id).parent.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock out other sweeps of this directory, and write the plan.

        Raises:
            SweepError: Another sweep holds the lock.
        """
        try:
            lock = lock_directory(self.directory)
            lock.__enter__()
        except RunError as error:
            raise SweepError(
                f"another `rig sweep` is running in {self.directory}: wait for it, or use "
                "--status to see its progress"
            ) from error
        try:
            write_json(self.directory / PLAN, self._plan())
            yield
        finally:
            lock.__exit__(None, None, None)

    def reset_failed(self) -> None:
        """Let the runs that failed be tried again."""
        for run_id, events in self.events().items():
            if failure(events) is not None:
                self.log_event(run_id, RESET)

    def has_ended(self, run_id: str) -> bool:
        """Return whether a run is finished or has failed."""
        run = open_run(self.run_directory(run_id))
        return (run is not None and run.is_finished) or failure(
            self.events()[run_id]
        ) is not None

    def statuses(self) -> list[RunStatus]:
        """Return the status of every run."""
        events = self.events()
        found = [
            self._done.get(run.id) or self._status(run, events[run.id])
            for run in self.spec.runs
        ]
        self._done |= {status.id: status for status in found if status.state == DONE}
        return found

    def _status(self, run_spec: RunSpec, events: list[Event]) -> RunStatus:
        run = open_run(self.run_directory(run_spec.id))
        is_running = is_locked(self.log(run_spec.id))
        num_lost = count_lost(events, is_running=is_running)
        if run and run.is_finished:
            state = DONE
        elif failure(events) is not None:
            state = FAILED
        elif is_running:
            state = RUNNING
        else:
            state = INTERRUPTED if run or num_lost else WAITING
        rows = read_metrics(run)
        starts = [event for event in events if event["event"] == STARTED]
        worker = {name: starts[-1].get(name) for name in WORKER} if starts else {}
        return RunStatus(
            id=run_spec.id,
            method=run_spec.method,
            task=run_spec.config.task,
            seed=run_spec.config.seed,
            state=state,
            num_env_steps=latest_steps(rows),
            total_timesteps=run_spec.config.total_timesteps,
            distances=latest_distances(rows),
            num_lost=num_lost,
            why="" if state == DONE or not events else str(events[-1].get("why", "")),
            worker=worker if state == RUNNING else {},
        )

    def _owner(self, run_id: str) -> Path:
        """Return the directory of the study that a run belongs to."""
        source = self._source_of[run_id]
        return self.directory.parent / source if source else self.directory

    def _check_settings(self, run_spec: RunSpec) -> None:
        directory = self.run_directory(run_spec.id)
        is_run = (directory / "config.json").is_file()
        if is_run and Run.open(directory).config != run_spec.config:
            raise SweepError(
                f"{directory} was made with other settings than {self.spec.path} has now: "
                "choose another --out, or remove that run"
            )

    def _plan(self) -> dict[str, Any]:
        runs = {
            run.id: {
                "method": run.method,
                "directory": f"../{run.source_study}/{run.id}" if run.source_study else run.id,
                "preset": run.preset,
                "changes": dict(run.changes),
                "command": ["rig", *run.argv],
            }
            for run in self._full_spec.runs
        }
        about = {"name": self.spec.name, "spec": str(self.spec.path), "asks": self.spec.asks}
        return {**about, "runs": runs}


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock on a file."""
    if not path.is_file():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def open_run(directory: Path) -> Run | None:
    """Return the run in a directory; None if there is none or it can't be read."""
    try:
        return Run.open(directory)
    except RunError:
        return None


def read_metrics(run: Run | None) -> list[dict[str, float]]:
    """Return the metrics of a run; none if there is no run or they can't be read."""
    try:
        return run.metrics() if run else []
    except RunError:
        return []
