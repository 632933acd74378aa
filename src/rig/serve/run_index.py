"""The runs that the page shows, each under an id that is no path."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import time
from typing import Any

from rig.config import Config
from rig.envs.tasks import TASKS
from rig.errors import RunError
from rig.runs.run import Run
from rig.serve.errors import RequestError, not_found
from rig.sweep.index import facts_of, run_directories, stamp_of
from rig.training.best import total_distances
from rig.units import amount, metric_of, object_of


LOCKS = Path("/proc/locks")
"""Linux lists every lock that is held, with the inode of its file."""
RECENT_S = 60.0
"""Without that list, a run whose files changed within this time counts as training."""
SPARK_POINTS = 24
DAMAGED = (RunError, OSError, ValueError)
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run is."""

    directory: Path
    name: str
    """How the page calls it: its path below the directory that was given."""
    is_named: bool
    """Whether the command line names it, and not only a directory above it."""


class RunIndex:
    """All runs at or under some directories, read again when their files change."""

    def __init__(
        self, roots: Sequence[Path], *, is_read_only: bool = False, allow_env: bool = False
    ) -> None:
        self._roots = roots
        self._is_read_only = is_read_only
        self._allow_env = allow_env
        self._refreshing = Lock()
        self._lock = Lock()  # for moments only: requests wait for it, and a stop with them
        self._places: dict[str, Place] = {}
        self._rows: dict[str, Row] = {}
        self._stamps: dict[str, str] = {}

    def refresh(self) -> tuple[list[Row], list[str]]:
        """Look for runs; return the rows that changed, and the ids of runs that are gone."""
        with self._refreshing:
            places = {id_of(place.directory): place for place in self._find()}
            gone = [run_id for run_id in self._places if run_id not in places]
            locked, rows = locked_inodes(), self._rows.copy()
            changed = [run for run in places if self._reread(run, places[run], locked, rows)]
            self._stamps = {run: self._stamps[run] for run in places}
            with self._lock:
                self._places, self._rows = places, {run: rows[run] for run in places}
            return [rows[run_id] for run_id in changed], gone

    def rows(self) -> list[Row]:
        """Return a row for each run, the newest first."""
        with self._lock:
            rows = list(self._rows.values())
        return sorted(rows, key=lambda row: (-row["updated_s"], row["name"]))

    def row(self, run_id: str) -> Row:
        """Return the row of a run.

        Raises:
            RequestError: There is no such run.
        """
        self.place(run_id)
        with self._lock:
            return self._rows[run_id]

    def place(self, run_id: str) -> Place:
        """Return where a run is.

        Raises:
            RequestError: There is no such run.
        """
        with self._lock:
            if run_id not in self._places:
                raise not_found("no_run", "there is no such run")
            return self._places[run_id]

    def open(self, run_id: str) -> Run:
        """Open a run.

        Raises:
            RequestError: There is none, or it is damaged.
        """
        directory = self.place(run_id).directory
        try:
            return Run.open(directory)
        except DAMAGED as error:
            raise RequestError(409, "damaged", str(error)) from error

    def why_not(self, run: Run, place: Place) -> str:
        """Return why the robot of a run can't be used from here; empty if it can."""
        if run.config.is_given_truth:
            return "It was given the true state and sees no images: watch it and compare it."
        if run.config.robot and not (place.is_named or self._allow_env):
            return (
                f"It drives a real robot ({run.config.robot}). If you mean to, start "
                "`rig serve` with this run's directory, or with --allow-env."
            )
        if ":" in run.config.task and not (place.is_named or self._allow_env):
            return (
                f"Its environment is code of its own ({run.config.task}). If you trust it, "
                "start `rig serve` with this run's directory, or with --allow-env."
            )
        if not policy_directory(run):
            return "No policy yet: there is one after the first evaluation."
        return "This server is read-only." if self._is_read_only else ""

    def _find(self) -> list[Place]:
        found = []
        for root in self._roots:
            for path in run_directories(root):
                is_named = path == root
                name = path.name if is_named else str(path.relative_to(root))
                found.append(Place(directory=path, name=as_text(name), is_named=is_named))
        return found

    def _reread(
        self, run_id: str, place: Place, locked: set[int] | None, rows: dict[str, Row]
    ) -> bool:
        """Read a run into ``rows`` if its files changed; return whether its row did."""
        is_training = is_locked(place.directory, locked)
        stamp = f"{is_training} {place} {stamp_of(place.directory)}"
        stamp += f" {stamp_of(place.directory / 'best')}"
        if self._stamps.get(run_id) == stamp:
            return False
        self._stamps[run_id] = stamp
        rows[run_id] = self._read(run_id, place, is_training)
        return True

    def _read(self, run_id: str, place: Place, is_training: bool) -> Row:
        row: Row = {"id": run_id, "name": place.name, "updated_s": updated_s(place.directory)}
        try:
            facts = facts_of(place.directory)
            run = Run.open(place.directory)
            rows = run.metrics()
        except DAMAGED as error:
            return row | {"state": "damaged", "why": str(error), "can_reach": False}
        why_not = self.why_not(run, place)
        state = "finished" if run.is_finished else "training" if is_training else "stopped"
        names = ("task", "preset", "seed", "num_env_steps", "training_s", "settings", "metrics")
        return row | {
            **{name: facts[name] for name in names},
            "directory": place.name,
            "state": state,
            "num_env_steps_total": run.config.total_timesteps,
            "distances": shown_distances(facts["distances"], facts["metrics"]),
            "spark": thinned(total_distances(rows)),
            "is_robot": bool(run.config.robot),
            "is_movable": is_movable(run.config),
            "can_reach": not why_not,
            "why_not": why_not,
        }


def is_movable(config: Config) -> bool:
    """Return whether things can be moved in a simulated image, which the robot would see so.

    A task with a colon has code of its own, which is not imported to answer this.
    """
    has_own_images = bool(config.robot or config.camera_effects or ":" in config.task)
    return not has_own_images and config.task in {task.name for task in TASKS}


def id_of(directory: Path) -> str:
    """Return the id of a run: no path, and the same each time."""
    return sha256(str(directory.resolve()).encode(errors="surrogateescape")).hexdigest()[:12]


def as_text(name: str) -> str:
    """Return a file name as Unicode."""
    return name.encode(errors="backslashreplace").decode()


def locked_inodes() -> set[int] | None:
    """Return the inodes of locked files; None where the system does not list them."""
    try:
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return None
    places = [line.split()[5] for line in lines if " FLOCK " in line and "->" not in line]
    return {int(place.rpartition(":")[2]) for place in places}


def is_locked(directory: Path, locked: set[int] | None) -> bool:
    """Return whether a process trains a run: trying its lock could make training fail."""
    with suppress(OSError):
        if locked is not None:
            return directory.stat().st_ino in locked
        return time() - updated_s(directory) < RECENT_S
    return False


def updated_s(directory: Path) -> float:
    """Return when a run's metrics, or else its settings, were last written."""
    for name in ("metrics.jsonl", "config.json"):
        with suppress(OSError):
            return (directory / name).stat().st_mtime
    return 0.0


def policy_directory(run: Run) -> Path | None:
    """Return the run or export that holds the newest policy; None before there is one."""
    best = run.directory / "best"
    found = [place for place in (run.policy, best) if (place / "policy.json").is_file()]
    if not found:
        return None
    return best if found[0] == best else run.directory


def shown_distances(
    distances: Mapping[str, float | None], metrics: Mapping[str, float | None]
) -> list[Row]:
    """Return the medians of the last evaluation, beside those of the no-op policy."""
    shown = []
    for key, value in distances.items():
        name = key.removeprefix("eval/").replace("_distance_", "_")
        no_op = metrics.get(f"eval/do_nothing_{metric_of(name)}")
        shown.append(
            {
                "object": object_of(name),
                "text": "" if value is None else amount(name, value),
                "no_op": "" if no_op is None else amount(name, no_op),
            }
        )
    return shown


def thinned(values: Sequence[float], num: int = SPARK_POINTS) -> list[float]:
    """Return at most ``num`` of the values, evenly spaced, with the first and the last."""
    if len(values) <= num:
        return list(values)
    return [values[round(index * (len(values) - 1) / (num - 1))] for index in range(num)]
