"""The plan of a study as ``rig sweep`` writes it, ``sweep.json``: what its runs are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.errors import RunError
from rig.runs.atomic_files import read_json


FILE = "sweep.json"


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """The method of a run, and its directory relative to the study's."""

    method: str
    directory: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The name of a study, and its runs by id in the order of the spec."""

    name: str
    runs: Mapping[str, PlannedRun]


def read_plan(directory: Path) -> Plan:
    """Return the plan of the study in a directory.

    Raises:
        RunError: The directory has no plan, or the file is something else.
    """
    path = directory / FILE
    if not path.is_file():
        raise RunError(
            f"{directory} is not the directory of a study: `rig sweep` makes one; if the study "
            "is elsewhere, give its directory"
        )
    written = read_json(path)
    try:
        runs = {run_id: read_run(run) for run_id, run in written["runs"].items()}
        return Plan(name=written["name"], runs=runs)
    except (AttributeError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not a plan that `rig sweep` wrote") from error


def read_run(written: Mapping[str, Any]) -> PlannedRun:
    """Return one run of a plan.

    Raises:
        TypeError: Its method or directory is not text.
    """
    run = PlannedRun(method=written["method"], directory=written["directory"])
    if not isinstance(run.method, str) or not isinstance(run.directory, str):
        raise TypeError("text is expected")
    return run
