"""A study's plan as it was written down: ``sweep.json``, for all who look at its runs later."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.errors import RunError
from rig.runs.atomic_files import read_json


FILE = "sweep.json"


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """Where a run lies, and what it is called."""

    method: str
    directory: str
    """Relative to the study's."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What looking at a study takes: its name, and its runs in the order of its spec."""

    name: str
    runs: Mapping[str, PlannedRun]


def read_plan(directory: Path) -> Plan:
    """The plan of the study in a directory.

    Raises:
        RunError: There is none, or the file is something else.
    """
    path = directory / FILE
    if not path.is_file():
        raise RunError(
            f"{directory} holds no study: `rig sweep` makes it; if it lies elsewhere, name "
            "its directory"
        )
    written = read_json(path)
    try:
        runs = {id_: planned(run) for id_, run in written["runs"].items()}
        return Plan(name=written["name"], runs=runs)
    except (AttributeError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not a plan that `rig sweep` wrote") from error


def planned(written: Mapping[str, Any]) -> PlannedRun:
    """What a line of the plan says of a run."""
    run = PlannedRun(method=written["method"], directory=written["directory"])
    if not isinstance(run.method, str) or not isinstance(run.directory, str):
        raise TypeError("words are expected")
    return run
