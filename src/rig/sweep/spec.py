"""The spec of a study, a TOML file: every run that the study consists of.

::

    asks = "Does relabelling with imagined goals help?"
    tasks = ["Push"]              # preset, tasks and seeds of every run below
    seeds = 5                     # 0 to 4; or a list
    preset = "fast"
    seeds_together = 5            # seeds of a method that train as one program; by default 1

    [settings]                    # what every run changes of its preset
    total_timesteps = 48_000

    [task.Reach]                  # what every run of one task changes besides
    total_timesteps = 20_000

    [[run]]                       # a method; it may override any key above
    method = "original goals only"
    settings.goals.mixture = { original = 1.0, future = 0.0, prior = 0.0 }

    [[run]]
    method = "updates"
    grid.td3.utd_ratio = [1, 2, 4]     # one method for each value

    [[run]]
    method = "ours"
    from = "comparison"           # runs of another study in the same directory, not new ones

Later tables win: preset, ``settings``, ``task``, then the run's own ``settings`` and ``grid``.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from rig.config import Config
from rig.envs.tasks import is_external, short_name
from rig.errors import ConfigError, RigError, SpecError, suggest
from rig.presets import find_preset
from rig.settings import change, flat, option
from rig.sweep.spec_values import (
    check_distinct,
    check_keys,
    read_count,
    read_name,
    read_seeds,
    read_table,
    read_tasks,
)


DEFAULTS: dict[str, Any] = {
    **{"seeds": 1, "seeds_together": 1, "preset": "fast"},
    **{"settings": {}, "grid": {}},
}
RUN_KEYS = {*DEFAULTS, "method", "from", "tasks"}
SPEC_KEYS = RUN_KEYS - {"method", "from"} | {"asks", "task", "run"}


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One run of a study."""

    method: str
    preset: str
    changes: Mapping[str, Any]
    """Its changes to the preset by dotted name, without the seed."""
    config: Config
    source_study: str = ""
    """The study that the run belongs to; empty for the one that lists it."""
    seeds_together: int = 1
    """Seeds of its method, at most, that train as one program."""

    @property
    def id(self) -> str:
        """Its name in the study, and its directory's, as ``push-updates-seed3``."""
        return slug(f"{self.config.task}-{self.method}-seed{self.config.seed}")

    @property
    def argv(self) -> list[str]:
        """The arguments of ``rig`` that train the same run by hand."""
        options = [word for key, value in self.changes.items() for word in option(key, value)]
        about = ["--preset", self.preset, "--seed", str(self.config.seed)]
        task = self.config.task
        return ["train", *(["--env", task] if is_external(task) else [task]), *about, *options]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """A study: its question and its runs."""

    name: str
    """The name of the file without its suffix."""
    path: Path
    asks: str
    runs: tuple[RunSpec, ...]
    """The first seed of every method comes first, so that a study that is stopped early can
    compare all methods."""

    def of_seeds(self, seeds: Sequence[int]) -> "Spec":
        """Return the spec with the runs of some seeds only.

        Raises:
            SpecError: It has no run of one of these seeds.
        """
        known = {run.config.seed for run in self.runs}
        if unknown := set(seeds) - known:
            listed = ", ".join(map(str, sorted(known)))
            raise SpecError(f"{self.path} has no run of seed {min(unknown)}: it has {listed}")
        return replace(self, runs=tuple(run for run in self.runs if run.config.seed in seeds))


def read_spec(path: Path) -> Spec:
    """Read a spec, and check the runs that it takes from other studies.

    Raises:
        SpecError: The file can't be read, a value in it is wrong, or another study does not
            have a run that is taken from it.
    """
    spec = read_spec_alone(path)
    for study in sorted({run.source_study for run in spec.runs if run.source_study}):
        check_source_study(spec, study)
    return spec


def read_spec_alone(path: Path) -> Spec:
    """Read a spec without a look at other studies.

    Raises:
        SpecError: The file can't be read, or a value in it is wrong.
    """
    try:
        file = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"{path} can't be read as a spec: {error}") from error
    try:
        return parse_spec(file, path)
    except RigError as error:
        raise SpecError(f"{path}: {error}") from error


def check_source_study(spec: Spec, study: str) -> None:
    """Raise SpecError unless another study has the runs that are taken from it."""
    specs = {path.stem: path for path in spec.path.parent.glob("*.toml")}
    if study not in specs:
        hint = suggest(study, specs)
        raise SpecError(f"{spec.path}: from = {study!r} is no study in its directory: {hint}")
    path = specs[study]
    own = {run.id: run.config for run in read_spec_alone(path).runs if not run.source_study}
    for run in spec.runs:
        if run.source_study == study and own.get(run.id) != run.config:
            how = "has it with other settings" if run.id in own else "does not have it"
            raise SpecError(f"{spec.path} takes {run.id} from {path}, which {how}")


def parse_spec(file: dict[str, Any], path: Path) -> Spec:
    """Return the study that the content of a file describes."""
    check_keys(file, SPEC_KEYS)
    common = {key: file[key] for key in file.keys() & RUN_KEYS}
    of_task = {full_task(t): s for t, s in read_table(file.get("task", {}), "task").items()}
    entries = file.get("run", [{}])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError("write [[run]] before each method's settings")
    runs = [run for entry in entries for run in parse_runs(common, of_task, entry, path.stem)]
    ids = [run.id for run in runs]
    if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
        raise ConfigError(f"{min(twice)} is listed twice: give each run its own method name")
    if unused := of_task.keys() - {run.config.task for run in runs}:
        raise ConfigError(f"[task.{min(unused)}] is a task that no run has: remove it")
    in_order = sorted(runs, key=lambda run: run.config.seed)
    return Spec(name=path.stem, path=path, asks=str(file.get("asks", "")), runs=tuple(in_order))


def parse_runs(
    common: dict[str, Any], of_task: dict[str, Any], entry: dict[str, Any], study: str
) -> list[RunSpec]:
    """Return the runs of one ``[[run]]``: each point of its grid on each task for each seed."""
    method = str(entry.get("method", study))
    try:
        check_keys(entry, RUN_KEYS)
        given = DEFAULTS | common | entry
        outer, own = (
            flat(read_table(t.get("settings", {}), "settings")) for t in (common, entry)
        )
        preset = read_name(given["preset"], "preset")
        points = grid_points(flat(read_table(given["grid"], "grid")))
        tasks = check_distinct([full_task(t) for t in read_tasks(given.get("tasks"))], "tasks")
        source = read_name(entry.get("from", ""), "from")
        together = read_count(given["seeds_together"], "seeds_together")
        runs = []
        for point, task in product(points, tasks):
            own_task = flat(read_table(of_task.get(task, {}), f"task.{task}"))
            config, changes = apply(find_preset(preset, task), outer | own_task | own | point)
            runs.append(
                RunSpec(
                    method=method_name(method, point),
                    preset=preset,
                    changes=changes,
                    config=config,
                    source_study=source,
                    seeds_together=together,
                )
            )
        return [
            replace(run, config=replace(run.config, seed=seed))
            for seed, run in product(read_seeds(given["seeds"]), runs)
        ]
    except RigError as error:
        raise ConfigError(f"run {method!r}: {error}") from error


def apply(standard: Config, changes: dict[str, Any]) -> tuple[Config, dict[str, Any]]:
    """Return the settings with changes applied, and those changes that change something."""
    if given := {"seed", "task"} & set(changes):
        raise ConfigError(f"write seeds and tasks, not settings.{min(given)}")
    config = change(standard, changes)
    before, after = flat(asdict(standard)), flat(asdict(config))
    return config, {key: after[key] for key in changes if after[key] != before[key]}


def full_task(task: str) -> str:
    """Return the name of a task as runs have it; ``MODULE:ID`` of an external env stays.

    Raises:
        TaskError: It is neither.
    """
    return task if ":" in task and is_external(task) else short_name(task)


def grid_points(grid: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every combination of the listed values; one empty combination without a grid."""
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"grid.{key} must list values, got {values!r}")
    return [dict(zip(grid, point, strict=True)) for point in product(*grid.values())]


def method_name(method: str, point: dict[str, Any]) -> str:
    """Return a method's name with its point of the grid: ``updates, utd_ratio 4``."""
    return ", ".join([method, *(f"{k.rpartition('.')[2]} {v}" for k, v in point.items())])


def slug(text: str) -> str:
    """Return a text as a file name. A minus in front of a number becomes a word."""
    text = re.sub(r"(?<![\w.])-(?=[\d.])", "minus", text)
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-")
