"""A study's directory: its runs, and what is known of each. Nothing else remembers anything.

::

    sweep.json       the plan as it was last begun
    journal.jsonl    how every attempt ended: finished, failed or lost, and why
    running/ID.json  which process on which machine is at a run, written by that process; and
                     why the run has failed, while the process goes on with others
    logs/ID.log      what a run said
    ID/              the run

A driver holds a lock on ``sweep.lock`` while it lives, so that any process can tell whether the
runs marked as running have a driver still.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rig.errors import RunError, SweepError
from rig.runs.atomic_files import read_json, write_json
from rig.runs.output_paths import check_new_directory
from rig.runs.run import Run
from rig.sweep import event_log as journal
from rig.sweep.lock import is_locked, locked
from rig.sweep.plan import FILE as PLAN
from rig.sweep.spec import Planned, Spec
from rig.sweep.status import (
    DONE,
    FAILED,
    INTERRUPTED,
    RUNNING,
    WAITING,
    Standing,
    latest_distances,
    latest_steps,
)


LOCK = "sweep.lock"
WHERE = ("host", "core", "pid")
"""What tells which process on which machine is at a run."""


class Study:
    """One study's directory, with verbs."""

    def __init__(self, spec: Spec, directory: Path, *, whole: Spec | None = None) -> None:
        """Only names it; :meth:`begin` makes it.

        Args:
            spec: What is to be done now.
            directory: Where.
            whole: The plan that it is a part of; by default it is all.
        """
        self.spec = spec
        self.directory = directory
        self._whole = whole or spec
        self._homes = {planned.id: planned.home for planned in spec.runs}
        self._done: dict[str, Standing] = {}
        """A run that is done stays so, and need not be read again."""

    def run_directory(self, run_id: str) -> Path:
        """Where a run lies, or will lie: here, or in the study beside this whose run it is."""
        return self._home(run_id) / run_id

    def log(self, run_id: str) -> Path:
        """Where what a run says is kept, beside the run."""
        return self._home(run_id) / "logs" / f"{run_id}.log"

    def mark(self, run_id: str) -> Path:
        """The file that a process at work on a run leaves, whichever study it works for."""
        return self._home(run_id) / "running" / f"{run_id}.json"

    def _home(self, run_id: str) -> Path:
        """Where the study lies whose run it is."""
        home = self._homes[run_id]
        return self.directory.parent / home if home else self.directory

    @property
    def _all_homes(self) -> set[Path]:
        """This study's directory, and those of the studies that it takes runs from."""
        return {self.directory, *map(self._home, self._homes)}

    def begin(self) -> None:
        """Makes the directory, with the plan in it.

        Raises:
            SweepError: A run there was made with other settings than the plan asks for, or
                another driver is at work there.
        """
        check_new_directory(self.directory)
        for planned in self.spec.runs:
            self._check_settings(planned)
        for home in self._all_homes:
            for part in ("logs", "running"):
                (home / part).mkdir(parents=True, exist_ok=True)
        with self.driving():
            pass

    @contextmanager
    def driving(self) -> Iterator[None]:
        """Holds the driver's lock, with this plan as the one that is followed.

        Raises:
            SweepError: Another driver holds it.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.directory / LOCK))
            except BlockingIOError as error:
                raise SweepError(
                    f"another `rig sweep` is at work on {self.directory}: wait for it, "
                    "or look at it with --status"
                ) from error
            write_json(self.directory / PLAN, self._plan())
            yield

    def note(self, run_id: str, event: str, why: str = "", **facts: Any) -> None:
        """Adds a line to the journal."""
        journal.note(self.directory / "journal.jsonl", run_id, event, why, facts)

    def journal(self) -> list[dict[str, Any]]:
        """Every line of the journal."""
        return journal.read(self.directory / "journal.jsonl")

    def worker_of(self, run_id: str) -> dict[str, Any]:
        """Host, core and process that are, or were last, at a run; empty if none is known."""
        mark = self._read_mark(run_id)
        return {name: mark[name] for name in WHERE if name in mark}

    def failure(self, run_id: str) -> str:
        """Why a run has failed whose process goes on with others; else empty."""
        return str(self._read_mark(run_id).get("why", ""))

    def unmark(self, run_id: str) -> None:
        """Takes away the file that a process at work on a run left.

        A study that is at work on a run of its own does so itself.
        """
        home = self._home(run_id)
        if home == self.directory or not is_locked(home / LOCK):
            self.mark(run_id).unlink(missing_ok=True)

    def forget(self, run_id: str) -> None:
        """Begins a run's story anew: no process is at it, and no failure counts."""
        self.unmark(run_id)
        if any(line["run"] == run_id for line in self.journal()):
            self.note(run_id, "taken up")

    def standings(self) -> list[Standing]:
        """Where every run stands."""
        lost: Counter[str] = Counter()
        last: dict[str, dict[str, Any]] = {}
        for line in self.journal():
            lost[line["run"]] += line["event"] == "lost"
            last[line["run"]] = line
        is_driven = any(is_locked(home / LOCK) for home in self._all_homes)
        found = [
            self._done.get(run.id)
            or self._standing(run, last.get(run.id, {}), lost[run.id], is_driven)
            for run in self.spec.runs
        ]
        self._done |= {standing.id: standing for standing in found if standing.state == DONE}
        return found

    def _standing(
        self, planned: Planned, last: dict[str, Any], num_lost: int, is_driven: bool
    ) -> Standing:
        run = found_run(self.run_directory(planned.id))
        if why := self.failure(planned.id):
            last = {"event": "failed", "why": why}
        state = self._state(planned.id, run, last, is_driven)
        rows = found_rows(run)
        return Standing(
            id=planned.id,
            method=planned.method,
            task=planned.config.task,
            seed=planned.config.seed,
            state=state,
            num_env_steps=latest_steps(rows),
            asked_env_steps=planned.config.total_timesteps,
            distances=latest_distances(rows),
            num_lost=num_lost,
            why="" if state == DONE else last.get("why", ""),
            where=self.worker_of(planned.id) if state == RUNNING else {},
        )

    def _state(
        self, run_id: str, run: Run | None, last: dict[str, Any], is_driven: bool
    ) -> str:
        if run and run.is_finished:
            return DONE
        if last.get("event") == "failed":
            return FAILED
        if self.mark(run_id).is_file() and is_driven:
            return RUNNING
        return INTERRUPTED if run or self.mark(run_id).is_file() else WAITING

    def _read_mark(self, run_id: str) -> dict[str, Any]:
        path = self.mark(run_id)
        return read_json(path) if path.is_file() else {}

    def _check_settings(self, planned: Planned) -> None:
        directory = self.run_directory(planned.id)
        if (directory / "config.json").is_file():
            found = Run.open(directory).config
            if found != planned.config:
                raise SweepError(
                    f"{directory} was made with other settings than {self.spec.path} asks for "
                    "now: choose another --out, or remove that run"
                )

    def _plan(self) -> dict[str, Any]:
        runs = {
            run.id: {
                "method": run.method,
                "directory": f"../{run.home}/{run.id}" if run.home else run.id,
                "preset": run.preset,
                "changes": dict(run.changes),
                "command": ["rig", *run.argv],
            }
            for run in self._whole.runs
        }
        return {
            "name": self.spec.name,
            "spec": str(self.spec.path),
            "asks": self.spec.asks,
            "runs": runs,
        }


def found_run(directory: Path) -> Run | None:
    """The run in a directory; none if it can't be read: a sweep goes on without."""
    try:
        return Run.open(directory)
    except RunError:
        return None


def found_rows(run: Run | None) -> list[dict[str, float]]:
    """What a run has measured; nothing if there is none, or it can't be read."""
    try:
        return run.metrics() if run else []
    except RunError:
        return []
