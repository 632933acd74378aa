"""A run is a directory.

::

    config.json      every setting, resolved
    origin.json      what made it: versions, commit, command line, camera, device
    metrics.jsonl    one JSON object per line, in the order things were measured
    clock.jsonl      when that was, line by line: a run that was stopped and went on has the
                     same metrics as one that was not, but not the same clock
    checkpoints/     what a run that did not finish goes on from
    policy/          the VAE, the prior and the networks: policy.safetensors, policy.json
    best/            the best policy so far, as a run of its own
    evaluation.json  the table of the last evaluation
    fingerprint.json hashes of what it ended as: it is finished
    pictures/        sheets drawn on the way
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
from rig.runs.atomic_files import read_json, read_whole, write_json
from rig.runs.json_rows import first_lines, read_rows
from rig.runs.settings import read_config


FINGERPRINT = "fingerprint.json"
METRICS, CLOCK = "metrics.jsonl", "clock.jsonl"
CLOCK_NAMES = ("wall_s", "evaluation_s")
"""Seconds since the run began, and those of them that went into evaluation."""


Follower = Callable[[Mapping[str, float]], None]
"""Is told each line of metrics."""


@contextmanager
def alone_at(directory: Path) -> Iterator[None]:
    """Holds the lock of a run's directory, readable or not.

    Raises:
        RunError: Another process holds it.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise RunError(f"another process trains {directory}: wait for it") from error
    finally:
        os.close(descriptor)


class Run:
    """One run's directory, with verbs."""

    def __init__(self, directory: Path, config: Config) -> None:
        self.directory = directory
        self.config = config
        self._followers: list[Follower] = []

    @classmethod
    def create(cls, directory: Path, config: Config, origin: Mapping[str, Any]) -> "Run":
        """A new run's directory, with its settings and its origin written.

        Raises:
            RunError: There is something already.
        """
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise RunError(f"{directory} exists and is not empty: choose another --out")
        (directory / "pictures").mkdir(parents=True, exist_ok=True)
        write_json(directory / "origin.json", dict(origin))
        write_json(directory / "config.json", asdict(config))
        return cls(directory, config)

    @classmethod
    def open(cls, directory: Path) -> "Run":
        """An existing run.

        Raises:
            RunError: The directory is no run, or its settings can't be read.
        """
        path = directory / "config.json"
        if not path.is_file():
            raise RunError(
                f"{directory} is no run: it has no config.json; `rig train` makes one"
            )
        try:
            return cls(directory, read_config(read_json(path)))
        except (ConfigError, TypeError) as error:
            raise RunError(f"{path} can't be read: {error}") from error

    @property
    def pictures(self) -> Path:
        """Where sheets drawn on the way lie."""
        return self.directory / "pictures"

    @property
    def policy(self) -> Path:
        """Where the VAE, the prior and the networks lie; in an export, beside all the rest."""
        inside = self.directory / "policy"
        return self.directory if (self.directory / "policy.json").is_file() else inside

    @property
    def checkpoints(self) -> Path:
        """Where the states lie that a run goes on from."""
        return self.directory / "checkpoints"

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end; runs older than checkpoints left no fingerprint."""
        has = [(self.directory / name).exists() for name in (FINGERPRINT, "evaluation.json")]
        return has[0] or (has[1] and not self.checkpoints.exists())

    def alone(self) -> AbstractContextManager[None]:
        """Keeps other processes from training this run; a process that dies lets go of it.

        Raises:
            RunError: Another one is at it.
        """
        return alone_at(self.directory)

    def save_fingerprint(self, hashes: Mapping[str, str]) -> None:
        """Writes down what the run ended as: it is finished."""
        write_json(self.directory / FINGERPRINT, hashes)

    def log(self, metrics: Mapping[str, float]) -> None:
        """Appends one line of metrics, the times among them to the clock's file."""
        rows: dict[str, dict[str, float]] = {METRICS: {}, CLOCK: {}}
        for name, value in metrics.items():
            rows[CLOCK if name in CLOCK_NAMES else METRICS][name] = value
        for file_name, row in rows.items():
            with (self.directory / file_name).open("a") as file:
                file.write(json.dumps(row) + "\n")
        for follower in self._followers:
            follower(metrics)

    @contextmanager
    def followed(self, follower: Follower) -> Iterator[None]:
        """Tells the follower each line of metrics once it is written."""
        self._followers.append(follower)
        try:
            yield
        finally:
            self._followers.remove(follower)

    def metrics(self) -> list[dict[str, float]]:
        """All lines of metrics with their times; a last line that was cut off is left out."""
        rows = read_rows(self.directory / METRICS)
        clock = read_rows(self.directory / CLOCK)
        clock += [{}] * (len(rows) - len(clock))
        return [row | times for row, times in zip(rows, clock, strict=False)]

    def seal_metrics(self) -> dict[str, Any]:
        """Waits until all metrics are on the disk; their number, and their hash."""
        for name in (METRICS, CLOCK):
            (self.directory / name).touch()
            with (self.directory / name).open("rb") as file:
                os.fsync(file.fileno())
        data = read_whole(self.directory / METRICS)
        return {"num_metrics": data.count(b"\n"), "metrics_sha256": sha256(data).hexdigest()}

    def check_metrics(self, sealed: Mapping[str, Any]) -> int:
        """How many metrics were sealed.

        Raises:
            RunError: They are no longer there as they were.
        """
        num, path = sealed.get("num_metrics"), self.directory / METRICS
        data = read_whole(path) if path.is_file() else b""
        first = first_lines(data, num) if type(num) is int else b""
        if type(num) is not int or sealed.get("metrics_sha256") != sha256(first).hexdigest():
            raise RunError(f"the first {num!r} lines of {path} are no longer what they were")
        return num

    def cut_metrics(self, num: int) -> None:
        """Keeps the first so many metrics: those after them are measured again."""
        for name in (METRICS, CLOCK):
            path = self.directory / name
            if path.is_file():
                os.truncate(path, len(first_lines(read_whole(path), num)))

    def origin(self) -> dict[str, Any]:
        """Where it comes from; empty if that is not known."""
        path = self.directory / "origin.json"
        return read_json(path) if path.is_file() else {}

    def save_evaluation(self, table: Mapping[str, Any]) -> None:
        """Writes the table of the last evaluation."""
        write_json(self.directory / "evaluation.json", dict(table))

    def evaluation(self) -> dict[str, Any]:
        """The table of the last evaluation; empty if there was none."""
        path = self.directory / "evaluation.json"
        return read_json(path) if path.is_file() else {}
