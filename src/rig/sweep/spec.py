"""A study's plan, read from a TOML file: every run that it asks for.

::

    asks = "Does relabelling with imagined goals help?"
    tasks = ["Push"]              # a preset, tasks and seeds for every run below
    seeds = 5                     # 0 to 4; or a list
    preset = "fast"
    seeds_together = 5            # so many seeds of a method train as one program; else 1

    [settings]                    # what every run changes of its preset
    total_timesteps = 48_000

    [task.Reach]                  # what every run of that task changes besides
    total_timesteps = 20_000

    [[run]]                       # a method; any key above may be said again for it alone
    method = "kept only"
    settings.goals.mixture = { original = 1.0, future = 0.0, prior = 0.0 }

    [[run]]
    method = "updates"
    grid.td3.utd_ratio = [1, 2, 4]     # one method for each value

    [[run]]
    method = "ours"
    from = "comparison"           # the runs of that study beside this one, not runs of its own

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
    at_least_1,
    check_keys,
    name,
    names,
    once,
    table,
    whole_numbers,
)


ONE_RUN = {"seeds": 1, "seeds_together": 1, "preset": "fast"}
DEFAULTS: dict[str, Any] = {**ONE_RUN, "settings": {}, "grid": {}}
RUN_KEYS = {*DEFAULTS, "method", "from", "tasks"}
SPEC_KEYS = RUN_KEYS - {"method", "from"} | {"asks", "task", "run"}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One run that a study asks for."""

    method: str
    preset: str
    changes: Mapping[str, Any]
    """What it changes of its preset, flat; the seed is not among them."""
    config: Config
    home: str = ""
    """The study whose run it is; empty: the one that plans it."""
    seeds_together: int = 1
    """With so many seeds of its method, at most, it trains as one program."""

    @property
    def id(self) -> str:
        """Its name in the study, and its directory's: ``push-kept-only-seed3``."""
        return slug(f"{self.config.task}-{self.method}-seed{self.config.seed}")

    @property
    def argv(self) -> list[str]:
        """What does the same by hand, after ``rig``."""
        options = [word for key, value in self.changes.items() for word in option(key, value)]
        named = ["--preset", self.preset, "--seed", str(self.config.seed)]
        task = self.config.task
        return ["train", *(["--env", task] if is_external(task) else [task]), *named, *options]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a study asks, and every run that answers it."""

    name: str
    """The file's name without its ending."""
    path: Path
    asks: str
    runs: tuple[Planned, ...]
    """The first seed of every method first, so that a study that is stopped compares them."""

    def of_seeds(self, seeds: Sequence[int]) -> "Spec":
        """The same with no runs but those of these seeds.

        Raises:
            SpecError: It plans none of one of them.
        """
        planned = {run.config.seed for run in self.runs}
        if strange := set(seeds) - planned:
            has = ", ".join(map(str, sorted(planned)))
            raise SpecError(f"{self.path} plans no run of seed {min(strange)}, but of {has}")
        return replace(self, runs=tuple(run for run in self.runs if run.config.seed in seeds))


def read_spec(path: Path) -> Spec:
    """The study that a file describes.

    Raises:
        SpecError: The file can't be read, a run of it is no run, or the study that it takes
            one from does not plan that; the message names both.
    """
    spec = read_alone(path)
    for home in sorted({run.home for run in spec.runs if run.home}):
        check_lender(spec, home)
    return spec


def read_alone(path: Path) -> Spec:
    """The study that a file describes, whatever it takes from other studies.

    Raises:
        SpecError: As :func:`read_spec`.
    """
    try:
        file = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError(f"{path} can't be read as a spec: {error}") from error
    try:
        return spec_of(file, path)
    except RigError as error:
        raise SpecError(f"{path}: {error}") from error


def check_lender(spec: Spec, home: str) -> None:
    """Raises SpecError unless the study beside it plans what a study takes from it."""
    beside = {path.stem: path for path in spec.path.parent.glob("*.toml")}
    if home not in beside:
        hint = suggest(home, beside)
        raise SpecError(f"{spec.path}: from = {home!r} is no study beside it: {hint}")
    path = beside[home]
    lent = {run.id: run.config for run in read_alone(path).runs if not run.home}
    for run in spec.runs:
        if run.home == home and lent.get(run.id) != run.config:
            how = "with other settings" if run.id in lent else "not at all"
            raise SpecError(f"{spec.path} takes {run.id} from {path}, which plans it {how}")


def spec_of(file: dict[str, Any], path: Path) -> Spec:
    """The study that a file describes, once read."""
    check_keys(file, SPEC_KEYS)
    common = {key: file[key] for key in file.keys() & RUN_KEYS}
    of_task = {proper_name(task): s for task, s in table(file.get("task", {}), "task").items()}
    entries = file.get("run", [{}])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError("write [[run]] before each method's settings")
    runs = [run for entry in entries for run in planned_runs(common, of_task, entry, path.stem)]
    ids = [run.id for run in runs]
    if twice := {id_ for id_ in ids if ids.count(id_) > 1}:
        raise ConfigError(f"{min(twice)} is planned twice: give each run a method of its own")
    if idle := of_task.keys() - {run.config.task for run in runs}:
        raise ConfigError(f"[task.{min(idle)}] is of a task that no run has: leave it out")
    in_order = sorted(runs, key=lambda run: run.config.seed)
    return Spec(name=path.stem, path=path, asks=str(file.get("asks", "")), runs=tuple(in_order))


def planned_runs(
    common: dict[str, Any], of_task: dict[str, Any], entry: dict[str, Any], study: str
) -> list[Planned]:
    """The runs of one ``[[run]]``: every value of its grid, on every task, for every seed."""
    method = str(entry.get("method", study))
    try:
        check_keys(entry, RUN_KEYS)
        asked = DEFAULTS | common | entry
        outer, own = (flat(table(t.get("settings", {}), "settings")) for t in (common, entry))
        preset = name(asked["preset"], "preset")
        points = grid_points(flat(table(asked["grid"], "grid")))
        tasks = [proper_name(task) for task in names(asked.get("tasks"), "tasks")]
        runs = [
            replace(
                planned(
                    find_preset(preset, task),
                    preset,
                    outer | flat(table(of_task.get(task, {}), f"task.{task}")) | own | point,
                ),
                method=named(method, point),
                home=name(entry.get("from", ""), "from"),
                seeds_together=at_least_1(asked["seeds_together"], "seeds_together"),
            )
            for point, task in product(points, once(tasks, "tasks"))
        ]
        seeds = whole_numbers(asked["seeds"], "seeds")
        return [
            replace(run, config=replace(run.config, seed=seed))
            for seed, run in product(seeds, runs)
        ]
    except RigError as error:
        raise ConfigError(f"run {method!r}: {error}") from error


def planned(standard: Config, preset: str, changes: dict[str, Any]) -> Planned:
    """One run without name or seed; settings that say what the preset says are no changes."""
    if given := {"seed", "task"} & set(changes):
        raise ConfigError(f"write seeds and tasks, not settings.{min(given)}")
    config = change(standard, changes)
    before, after = flat_config(standard), flat_config(config)
    kept = {key: after[key] for key in changes if after[key] != before[key]}
    return Planned(method="", preset=preset, changes=kept, config=config)


def flat_config(config: Config) -> dict[str, Any]:
    """Every setting under its dotted name."""
    return flat(asdict(config))


def proper_name(task: str) -> str:
    """A task's name as runs have it; someone's environment, ``MODULE:ID``, keeps its id.

    Raises:
        TaskError: It is neither.
    """
    return task if ":" in task and is_external(task) else short_name(task)


def grid_points(grid: dict[str, Any]) -> list[dict[str, Any]]:
    """Every combination of the values listed; one empty one for no grid."""
    for key, values in grid.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"grid.{key} must list values, got {values!r}")
    return [dict(zip(grid, point, strict=True)) for point in product(*grid.values())]


def named(method: str, point: dict[str, Any]) -> str:
    """A method's name with its place in the grid: ``updates, utd_ratio 4``."""
    places = [f"{key.rpartition('.')[2]} {value}" for key, value in point.items()]
    return ", ".join([method, *places])


def slug(text: str) -> str:
    """A name that a file can have; a minus before a number stays told."""
    text = re.sub(r"(?<![\w.])-(?=[\d.])", "minus", text)
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-")
