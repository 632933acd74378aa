"""A run is a directory.

::

    config.json      every setting, resolved
    origin.json      what made it: versions, commit, command line, camera, device
    metrics.jsonl    one JSON object per line, in the order things were measured
    policy/          the VAE, the prior and the networks: policy.safetensors, policy.json
    evaluation.json  the table of the last evaluation
    pictures/        sheets drawn on the way
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rig.config import Config, from_dict
from rig.errors import ConfigError, RunError


Follower = Callable[[Mapping[str, float]], None]
"""Is told each line of metrics."""


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
            return cls(directory, from_dict(Config, read_json(path)))
        except (ConfigError, TypeError) as error:
            raise RunError(f"{path} can't be read: {error}") from error

    @property
    def pictures(self) -> Path:
        """Where sheets drawn on the way lie."""
        return self.directory / "pictures"

    @property
    def policy(self) -> Path:
        """Where the VAE, the prior and the networks lie."""
        return self.directory / "policy"

    def log(self, metrics: Mapping[str, float]) -> None:
        """Appends one line of metrics."""
        with (self.directory / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(dict(metrics)) + "\n")
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
        """All lines of metrics; a last line that was cut off is left out."""
        path = self.directory / "metrics.jsonl"
        lines = path.read_text().splitlines() if path.is_file() else []
        rows = []
        for number, line in enumerate(lines):
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError as error:
                if number < len(lines) - 1:
                    raise RunError(f"{path}, line {number + 1} is no JSON: {error}") from error
        return rows

    def save_evaluation(self, table: Mapping[str, Any]) -> None:
        """Writes the table of the last evaluation."""
        write_json(self.directory / "evaluation.json", dict(table))

    def evaluation(self) -> dict[str, Any]:
        """The table of the last evaluation; empty if there was none."""
        path = self.directory / "evaluation.json"
        return read_json(path) if path.is_file() else {}


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes beside the path and moves into place, so that a reader never sees half."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(values, indent=2) + "\n")
    os.replace(beside, path)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        RunError: The file holds none.
    """
    try:
        values = json.loads(path.read_text())
    except (ValueError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is no JSON: {error}; the run is damaged") from error
    if not isinstance(values, dict):
        raise RunError(f"{path} holds no JSON object; the run is damaged")
    return values
