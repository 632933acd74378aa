"""A run is a directory.

::

    config.json      every setting, resolved
    origin.json      how it was made: versions, commit, command line, camera, device
    metrics.jsonl    one JSON object per line, in the order of measurement
    clock.jsonl      the time of each of these lines; a file of its own, because a resumed run
                     has the same metrics as an uninterrupted one, but other times
    checkpoints/     the states that an unfinished run resumes from
    policy/          representation, prior and networks: policy.safetensors, policy.json
    best/            the best policy so far, as a run directory
    evaluation.json  the table of the last evaluation
    fingerprint.json hashes of the final state; it marks the run as finished
    practised.safetensors  what a goal image is compared with (rig/goals/practised.py)
    tried_goals.safetensors  the goals of the last evaluation, and which were reached
    error.log        the traceback of an environment that failed, if one did
    images/          image grids drawn during training
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from rig.config import Config
from rig.errors import ConfigError, RunError
from rig.runs.atomic_files import read_json, read_small_file, write_json
from rig.runs.json_rows import first_lines, read_rows
from rig.runs.old_names import OLD_IMAGES
from rig.runs.settings import read_config


FINGERPRINT = "fingerprint.json"
METRICS, CLOCK = "metrics.jsonl", "clock.jsonl"
CLOCK_NAMES = ("wall_s", "evaluation_s")
"""Seconds since the start of the run, and how many of them evaluation took."""


MetricsCallback = Callable[[Mapping[str, float]], None]
"""Called with each line of metrics."""


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Hold the lock of a run's directory, whether or not it contains a run that can be read.

    Raises:
        RunError: Another process holds the lock.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise RunError(f"another process trains {directory}: wait until it ends") from error
    finally:
        os.close(descriptor)


class Run:
    """A run's directory."""

    def __init__(self, directory: Path, config: Config) -> None:
        self.directory = directory
        self.config = config
        self._callbacks: list[MetricsCallback] = []

    @classmethod
    def create(cls, directory: Path, config: Config, origin: Mapping[str, Any]) -> "Run":
        """Create a new run's directory and write its settings and origin.

        Raises:
            RunError: The directory exists and is not empty.
        """
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise RunError(f"{directory} exists and is not empty: choose another --out")
        (directory / "images").mkdir(parents=True, exist_ok=True)
        write_json(directory / "origin.json", dict(origin))
        write_json(directory / "config.json", asdict(config))
        return cls(directory, config)

    @classmethod
    def open(cls, directory: Path) -> "Run":
        """Open an existing run.

        Raises:
            RunError: The directory is not a run, or its settings can't be read.
        """
        path = directory / "config.json"
        if not path.is_file():
            raise RunError(
                f"{directory} is not a run: it has no config.json; `rig train` makes one"
            )
        try:
            return cls(directory, read_config(read_json(path)))
        except (ConfigError, TypeError) as error:
            raise RunError(f"{path} can't be read: {error}") from error

    @property
    def images(self) -> Path:
        """Return the directory of image grids, also under the name in older versions."""
        old = self.directory / OLD_IMAGES
        return old if old.is_dir() else self.directory / "images"

    @property
    def policy(self) -> Path:
        """Return the directory of the policy's files; in an export this is the run itself."""
        inside = self.directory / "policy"
        return self.directory if (self.directory / "policy.json").is_file() else inside

    @property
    def checkpoints(self) -> Path:
        """Return the directory of the checkpoints."""
        return self.directory / "checkpoints"

    @property
    def is_finished(self) -> bool:
        """Return whether training ended; runs older than checkpoints have no fingerprint."""
        has = [(self.directory / name).exists() for name in (FINGERPRINT, "evaluation.json")]
        return has[0] or (has[1] and not self.checkpoints.exists())

    def lock(self) -> AbstractContextManager[None]:
        """Lock the run, so that no other process trains it; the lock ends with the process.

        Raises:
            RunError: Another process holds the lock.
        """
        return lock_directory(self.directory)

    def save_fingerprint(self, hashes: Mapping[str, str]) -> None:
        """Write the hashes of the final state, which marks the run as finished."""
        write_json(self.directory / FINGERPRINT, hashes)

    def log(self, metrics: Mapping[str, float]) -> None:
        """Append one line of metrics; the times among them go to the clock's file."""
        rows: dict[str, dict[str, float]] = {METRICS: {}, CLOCK: {}}
        for name, value in metrics.items():
            rows[CLOCK if name in CLOCK_NAMES else METRICS][name] = value
        for file_name, row in rows.items():
            with (self.directory / file_name).open("a") as file:
                file.write(json.dumps(row) + "\n")
        for callback in self._callbacks:
            callback(metrics)

    @contextmanager
    def on_metrics(self, callback: MetricsCallback) -> Iterator[None]:
        """Call ``callback`` with each line of metrics after it is written."""
        self._callbacks.append(callback)
        try:
            yield
        finally:
            self._callbacks.remove(callback)

    def metrics(self) -> list[dict[str, float]]:
        """Return all lines of metrics with their times; an incomplete last line is left out."""
        rows = read_rows(self.directory / METRICS)
        clock = read_rows(self.directory / CLOCK)
        clock += [{}] * (len(rows) - len(clock))
        return [row | times for row, times in zip(rows, clock, strict=False)]

    def seal_metrics(self) -> dict[str, Any]:
        """Wait until all metrics are on disk and return their number and hash."""
        for name in (METRICS, CLOCK):
            (self.directory / name).touch()
            with (self.directory / name).open("rb") as file:
                os.fsync(file.fileno())
        data = read_small_file(self.directory / METRICS)
        return {"num_metrics": data.count(b"\n"), "metrics_sha256": sha256(data).hexdigest()}

    def check_metrics(self, sealed: Mapping[str, Any]) -> int:
        """Return the number of sealed metrics.

        Args:
            sealed: What :meth:`seal_metrics` returned.

        Raises:
            RunError: These lines have changed since.
        """
        num, path = sealed.get("num_metrics"), self.directory / METRICS
        data = read_small_file(path) if path.is_file() else b""
        first = first_lines(data, num) if type(num) is int else b""
        if type(num) is not int or sealed.get("metrics_sha256") != sha256(first).hexdigest():
            raise RunError(f"the first {num!r} lines of {path} have changed: it is damaged")
        return num

    def truncate_metrics(self, num: int) -> None:
        """Keep the first ``num`` lines of metrics; later ones will be measured again."""
        for name in (METRICS, CLOCK):
            path = self.directory / name
            if path.is_file():
                os.truncate(path, len(first_lines(read_small_file(path), num)))

    def origin(self) -> dict[str, Any]:
        """Return how the run was made; empty if that is not recorded."""
        path = self.directory / "origin.json"
        return read_json(path) if path.is_file() else {}

    def save_evaluation(self, table: Mapping[str, Any]) -> None:
        """Write the table of the last evaluation."""
        write_json(self.directory / "evaluation.json", dict(table))

    def evaluation(self) -> dict[str, Any]:
        """Return the table of the last evaluation; empty if there was none."""
        path = self.directory / "evaluation.json"
        return read_json(path) if path.is_file() else {}
