"""Reading and writing results: one JSON line for each finished run, small enough to commit.

A line says what made the run, and has its curve: its evaluations as columns of numbers with
five digits. Results are read from the directory of a run or a study, or from such a file.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rig.compare.result import STEPS, TRAINING_S, Result, check_curve, result_from
from rig.errors import RunError
from rig.runs.atomic_files import complete_file
from rig.runs.output_paths import RUNS
from rig.runs.run import Run
from rig.runs.settings import changes_from_published, nearest_preset, preset_of
from rig.sweep.plan import FILE as PLAN
from rig.sweep.plan import read_plan
from rig.sweep.spec import read_spec


DIGITS = 5
OUT_OPTION = re.compile(r" --out ('[^']*'|\S+)")
"""The part of a command that says where its run goes; it has no influence on the run."""


def result_of(run: Run, method: str = "", study: str = "") -> Result:
    """Return the result of a finished run. By default its method is named after its settings.

    Raises:
        RunError: The run was never evaluated, or is damaged.
    """
    origin, curve = run.origin(), curve_of(run.metrics())
    if not curve:
        raise RunError(
            f"{run.directory} has no evaluation in its metrics.jsonl, so no curve: give the "
            "run that it is a part of (RUN for RUN/best)"
        )
    try:
        check_curve(curve)
    except RunError as error:
        raise RunError(f"{run.directory} can't be compared: {error}") from error
    return Result(
        id=run.directory.resolve().name,
        study=study,
        task=run.config.task,
        method=method or preset_of(run.config),
        seed=run.config.seed,
        preset=nearest_preset(run.config),
        changes=changes_from_published(run.config),
        command=OUT_OPTION.sub("", str(origin.get("command", ""))),
        commit=str(origin.get("commit") or ""),
        device=str(origin.get("device", "")),
        date=str(origin.get("date", "")),
        curve=curve,
    )


def curve_of(rows: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the evaluations as columns; empty if there is none.

    Columns that not every evaluation has are left out. Of two evaluations after the same number
    of steps the later one counts.
    """
    measured: dict[float, dict[str, float]] = {}
    for row in rows:
        distances = {key: value for key, value in row.items() if key.startswith("eval/")}
        if distances and STEPS in row:
            training_s = row.get("wall_s", 0.0) - row.get("evaluation_s", 0.0)
            measured[row[STEPS]] = {STEPS: row[STEPS], TRAINING_S: training_s} | distances
    points = list(measured.values()) or [{}]
    shared = [key for key in points[0] if all(key in point for point in points)]
    return {key: [rounded(point[key]) for point in points] for key in shared}


def rounded(value: float) -> float:
    """Return a number with five digits; a whole number stays as it is."""
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def gather(sources: Sequence[Path]) -> tuple[list[Result], list[str]]:
    """Return the results in runs, studies, specs and files, and the names of unfinished runs.

    Raises:
        RunError: A path is none of these, or no run is finished.
    """
    results, left_out = [], []
    for source in sources:
        found, missing = gather_one(source)
        results += found
        left_out += missing
    if not results:
        listed = ", ".join(map(str, sources))
        raise RunError(f"no run of {listed} is finished: there is nothing to compare yet")
    return distinct(results), left_out


def distinct(results: Iterable[Result]) -> list[Result]:
    """Return the results without copies of runs that several studies share.

    Raises:
        RunError: Two runs have the same method, task and seed.
    """
    found: dict[tuple[str, str, int], Result] = {}
    for result in results:
        other = found.setdefault((result.task, result.method, result.seed), result)
        if result != replace(other, study=result.study):
            both = " and ".join(f"{run.study or 'a run'}: {run.id}" for run in (other, result))
            raise RunError(
                f"{both} are both {result.method!r} on {result.task} with seed {result.seed}: "
                "compare them separately, or give them different method names"
            )
    return list(found.values())


def gather_one(source: Path) -> tuple[list[Result], list[str]]:
    """Return the results of one source, and the names of its unfinished runs."""
    if source.suffix == ".jsonl":
        return read_results(source), []
    if source.suffix == ".toml":
        return gather_study(RUNS / read_spec(source).name)
    if (source / PLAN).is_file():
        return gather_study(source)
    run = Run.open(source)
    is_finished = run.is_finished
    return ([result_of(run)], []) if is_finished else ([], [str(source)])


def gather_study(directory: Path) -> tuple[list[Result], list[str]]:
    """Return the results of a study in the order of its plan, and its unfinished runs.

    Raises:
        RunError: The directory has no plan, or a run in it is damaged.
    """
    plan = read_plan(directory)
    results, left_out = [], []
    for run_id, planned_run in plan.runs.items():
        place = directory / planned_run.directory
        run = Run.open(place) if (place / "config.json").is_file() else None
        if run and run.is_finished:
            results.append(result_of(run, planned_run.method, plan.name))
        else:
            left_out.append(run_id)
    return results, left_out


def write_results(path: Path, results: Iterable[Result]) -> None:
    """Write a line for each result."""
    lines = [json.dumps(asdict(result), separators=(",", ":")) for result in results]
    with complete_file(path) as partial:
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def read_results(path: Path) -> list[Result]:
    """Read the results in a file.

    Raises:
        RunError: A line can't be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RunError(f"{path} can't be read as results: {error.strerror}") from error
    return [
        result_in(line, f"{path} can't be read as results: line {number}")
        for number, line in enumerate(lines, 1)
    ]


def result_in(line: bytes, where: str) -> Result:
    """Return the result in a line of a file.

    Raises:
        RunError: The line is not a result; the message begins with ``where``.
    """
    try:
        return result_from(json.loads(line))
    except (ValueError, RecursionError) as error:
        raise RunError(f"{where}: not JSON: {error}") from error
    except RunError as error:
        raise RunError(f"{where}: {error}") from error
