"""Results: what is kept of a finished run, a JSON line each, small enough to be committed.

A line holds what made the run and its curve: every evaluation, as columns of numbers with five
digits. It is read from a run's directory, from a study's, and from a file of such lines.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from rig.errors import RunError
from rig.lab.keep.durable import read_json
from rig.lab.keep.run import Run
from rig.lab.keep.settings import GIVES_TRUTH, changes_from_published, nearest_preset, preset_of
from rig.lab.quantities import UNITS
from rig.lab.study.spec import read_spec
from rig.lab.verbs.outputs import RUNS


DIGITS = 5
STEPS, TRAINING_S = "num_env_steps", "training_s"
DISTANCE = re.compile(
    rf"eval/(?!do_nothing_)(?P<thing>\w+)_distance_(?P<unit>{'|'.join(UNITS)})"
)
"""An evaluation's medians: of what, and in which unit."""

PLACE = re.compile(r" --out ('[^']*'|\S+)")
"""Where a command put its run: a path of some machine, and nothing that made the run."""

Curve = Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One finished run."""

    id: str
    """Its directory's name."""
    study: str
    """The study that it belongs to; empty for a run by itself."""
    task: str
    method: str
    seed: int
    preset: str
    changes: Mapping[str, Any]
    """What it changes of RIG as published, flat: a preset may mean another thing one day."""
    command: str
    commit: str
    device: str
    date: str
    curve: Curve
    """Columns of equal length: steps, seconds of training without evaluation, distances."""

    @property
    def is_oracle(self) -> bool:
        """Whether it was given the true state in place of images."""
        return bool(self.changes.get("oracle", False))

    @property
    def is_given_truth(self) -> bool:
        """Whether anything that learned was given the true state: a check, and no method."""
        return any(name in self.changes for name in GIVES_TRUTH)

    @property
    def things(self) -> dict[str, str]:
        """What was measured, and its unit: ``{"hand": "m", "puck": "m"}``."""
        found = [match for key in self.curve if (match := DISTANCE.fullmatch(key))]
        return {match["thing"]: match["unit"] for match in found}

    def column(self, key: str) -> Float64[np.ndarray, " points"]:
        """One column of the curve."""
        return np.asarray(self.curve[key], np.float64)

    def distances(self, thing: str) -> Float64[np.ndarray, " points"]:
        """The median distance of a thing at each evaluation, metres or radians."""
        return self.column(f"eval/{thing}_distance_{self.things[thing]}")

    def final(self, thing: str) -> float:
        """The distance at the last evaluation."""
        return float(self.distances(thing)[-1])

    def do_nothing(self, thing: str) -> float:
        """What doing nothing scores."""
        key = f"eval/do_nothing_{thing}_distance_{self.things[thing]}"
        return float(self.curve[key][-1])

    @property
    def num_env_steps(self) -> int:
        """Environment steps at the last evaluation."""
        return int(self.curve[STEPS][-1])

    @property
    def training_s(self) -> float:
        """Seconds of training until then."""
        return float(self.curve[TRAINING_S][-1])


def result_of(run: Run, method: str = "", study: str = "") -> Result:
    """What is kept of a finished run; a run by itself is called by its preset and changes."""
    origin = run.origin()
    return Result(
        id=run.directory.resolve().name,
        study=study,
        task=run.config.task,
        method=method or preset_of(run.config),
        seed=run.config.seed,
        preset=nearest_preset(run.config),
        changes=changes_from_published(run.config),
        command=PLACE.sub("", origin.get("command", "")),
        commit=origin.get("commit") or "",
        device=origin.get("device", ""),
        date=origin.get("date", ""),
        curve=curve_of(run.metrics()),
    )


def curve_of(rows: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    """Every evaluation in columns; of two after the same steps, the later one."""
    measured: dict[float, dict[str, float]] = {}
    for row in rows:
        distances = {key: value for key, value in row.items() if key.startswith("eval/")}
        if distances:
            training_s = row.get("wall_s", 0.0) - row.get("evaluation_s", 0.0)
            measured[row[STEPS]] = {STEPS: row[STEPS], TRAINING_S: training_s} | distances
    points = list(measured.values())
    return {key: [rounded(point[key]) for point in points] for key in (points or [{}])[0]}


def rounded(value: float) -> float:
    """The number with as many digits as are kept; whole numbers stay whole."""
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def gather(sources: Sequence[Path]) -> tuple[list[Result], list[str]]:
    """The results in runs, studies, specs and files of results, and what is left out.

    Raises:
        RunError: A path is none of these, or nothing there is finished.
    """
    results, left_out = [], []
    for source in sources:
        found, missing = gather_one(source)
        results += found
        left_out += missing
    if not results:
        named = ", ".join(map(str, sources))
        raise RunError(f"no run of {named} is finished: there is nothing to compare yet")
    return distinct(results), left_out


def distinct(results: Iterable[Result]) -> list[Result]:
    """The results without copies: studies may share a run.

    Raises:
        RunError: Two runs have one method, task and seed.
    """
    found: dict[tuple[str, str, int], Result] = {}
    for result in results:
        other = found.setdefault((result.task, result.method, result.seed), result)
        if result != replace(other, study=result.study):
            both = " and ".join(f"{run.study or 'a run'}: {run.id}" for run in (other, result))
            raise RunError(
                f"{both} are both {result.method!r} on {result.task} with seed {result.seed}: "
                "one mean over them would say nothing, so compare them apart"
            )
    return list(found.values())


def gather_one(source: Path) -> tuple[list[Result], list[str]]:
    """The results in one place, and the runs there that are not finished."""
    if source.suffix == ".jsonl":
        return read_results(source), []
    if source.suffix == ".toml":
        return gather_study(RUNS / read_spec(source).name)
    if (source / "sweep.json").is_file():
        return gather_study(source)
    run = Run.open(source)
    is_finished = run.is_finished
    return ([result_of(run)], []) if is_finished else ([], [str(source)])


def gather_study(directory: Path) -> tuple[list[Result], list[str]]:
    """The results of a study's runs, in the order of its plan."""
    if not (directory / "sweep.json").is_file():
        raise RunError(
            f"{directory} holds no study: `rig sweep` makes it; if it lies elsewhere, name "
            "its directory"
        )
    plan = read_json(directory / "sweep.json")
    results, left_out = [], []
    for run_id, planned in plan["runs"].items():
        place = directory / planned["directory"]
        run = Run.open(place) if (place / "config.json").is_file() else None
        if run and run.is_finished:
            results.append(result_of(run, planned["method"], plan["name"]))
        else:
            left_out.append(run_id)
    return results, left_out


def write_results(path: Path, results: Iterable[Result]) -> None:
    """Writes a line for each result."""
    lines = [json.dumps(asdict(result), separators=(",", ":")) for result in results]
    path.write_text("".join(f"{line}\n" for line in lines))


def read_results(path: Path) -> list[Result]:
    """The results in a file.

    Raises:
        RunError: It can't be read.
    """
    try:
        return [Result(**json.loads(line)) for line in path.read_text().splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise RunError(f"{path} can't be read as results: {error}") from error
