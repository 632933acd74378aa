"""The results page: ``python -m benchmarks.results`` writes docs/results.md from what is kept.

``--keep SOURCE...`` first takes in finished runs: a study's directory, or a spec whose study
lies under ``runs/``. What is kept of each run is one line in ``docs/results/STUDY.jsonl``, in
place of an older one of the same run; plots lie beside it. A study may thus be run a seed at a
time, on any machine, and a run that it takes ``from`` another is as the other has it. Nobody
types a number.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from rig.compare.comparison import Comparison, Line
from rig.compare.curves import save_curves
from rig.compare.kept_results import (
    STEPS,
    Result,
    gather_one,
    read_results,
    write_results,
)
from rig.compare.tables import COLUMNS, cells, grid, legend, nothing_scores, over_tasks
from rig.errors import RigError, RunError, SpecError
from rig.runs.output_paths import RUNS
from rig.runs.settings import changes_from_published
from rig.sweep.spec import RunSpec, read_spec, read_spec_alone, slug
from rig.training.origin import commit, now


ROOT = Path(__file__).parent.parent
SPECS = ROOT / "benchmarks" / "specs"
KEPT = ROOT / "docs" / "results"
PAGE = KEPT.with_suffix(".md")
SUCCESS = "eval/success_share"
HASH_DIGITS, SHOWN_DIGITS = 40, 7
HEAD = """# Results

<!-- Written by `python -m benchmarks.results`: change that, not this. -->

Every number is from finished runs whose evaluations are kept, a line each, in
[results/](results/): anyone can draw this page again. A number leads to its runs, and each run
to its line, its commit, and the command that makes it again at that commit. Distances are from
goal pictures that practice never saw, at the last step. Training is wall-clock of one core;
machines were shared, and some were three times as fast as others: compare steps, or run a study
anew on one machine.
"""


def main(argv: Sequence[str]) -> None:
    """Takes in what is to be kept, and writes the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.results", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--keep", nargs="+", type=Path, default=[], metavar="SOURCE")
    options = parser.parse_args(argv)
    KEPT.mkdir(exist_ok=True)
    try:
        for source in options.keep:
            print(keep(source))
        for path in sorted(KEPT.glob("*.jsonl")):
            borrow_again(path)
            draw(path)
        PAGE.write_text(page())
    except RigError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


def keep(source: Path) -> str:
    """Keeps the finished runs of a source; what to tell about it."""
    results, left_out = gather_one(source)
    if not results:
        return f"{source}: no run is finished"
    study = results[0].study or slug(results[0].id)
    path = KEPT / f"{study}.jsonl"
    given = {*read_kept(path), *(result.id for result in results)}
    take_in(study, results)
    held = read_kept(path).keys()
    told = [f"{path.relative_to(ROOT)}: {len(held)} runs are kept"]
    if left_out:
        told.append(f"not finished: {', '.join(left_out)}")
    if gone := sorted(given - held):
        told.append(f"not as the spec plans now, so not kept: {', '.join(gone)}")
    return "; ".join(told)


def take_in(study: str, results: list[Result]) -> None:
    """Keeps results with those of the study that are kept already.

    Raises:
        RunError: None of them is as the study's spec plans now.
    """
    path = KEPT / f"{study}.jsonl"
    write_kept(path, merged(path, [replace(result, study=study) for result in results]))


def write_kept(path: Path, results: list[Result]) -> None:
    """Writes what is kept of a study, but never nothing in place of something.

    Raises:
        RunError: There is nothing.
    """
    if not results:
        raise RunError(f"no run for {path} is as its spec plans now: it stays as it is")
    write_results(path, results)


def borrow_again(path: Path) -> None:
    """Has what a study took from others as they have it now, if its spec can still be read."""
    spec = SPECS / f"{path.stem}.toml"
    if not spec.is_file():
        return
    with suppress(SpecError):
        plan = read_spec(spec).runs
        write_kept(path, list(with_borrowed(path, plan, read_kept(path)).values()))


def place_of(directory: Path) -> str:
    """A run's directory as a command on the page has it: from ``runs`` on, on any machine."""
    parts = directory.resolve().parts
    return "/".join(parts[parts.index(RUNS.name) :]) if RUNS.name in parts else parts[-1]


def made_now() -> dict[str, str]:
    """Commit and date of what is measured by this code now, on a run of any."""
    return {"commit": commit() or "", "date": now()}


def merged(path: Path, results: list[Result]) -> list[Result]:
    """What is kept with new results in it; if there is a spec, no others than it plans now."""
    kept = read_kept(path) | {result.id: result for result in results}
    spec = SPECS / f"{path.stem}.toml"
    if not spec.is_file():
        return list(kept.values())
    plan = read_spec(spec).runs
    kept = with_borrowed(path, plan, kept)
    return [kept[run.id] for run in plan if is_of(kept.get(run.id), run)]


def with_borrowed(
    path: Path, plan: Sequence[RunSpec], kept: Mapping[str, Result]
) -> dict[str, Result]:
    """What is kept of a study, and what its plan takes from others as those have it now."""
    homes = {run.id: run.source_study for run in plan if run.source_study}
    lent = {
        result.id: replace(result, study=path.stem)
        for home in sorted(set(homes.values()))
        for result in read_kept(path.with_name(f"{home}.jsonl")).values()
        if homes.get(result.id) == home
    }
    both = {**kept, **lent}
    return {id_: both[id_] for id_ in both if id_ in lent or id_ not in homes}


def read_kept(path: Path) -> dict[str, Result]:
    """What is kept of a study by its runs' names; nothing if there is no such file."""
    return {result.id: result for result in read_results(path)} if path.is_file() else {}


def is_of(result: Result | None, run: RunSpec) -> bool:
    """Whether it is a result, and of a run with the settings that are planned."""
    if result is None:
        return False
    return as_kept(result.changes) == as_kept(changes_from_published(run.config))


def as_kept(changes: Mapping[str, Any]) -> str:
    """Changes as a line of results has them: JSON knows no tuples."""
    return json.dumps(changes, sort_keys=True)


def page() -> str:
    """The whole page, in Markdown."""
    studies = [read_results(path) for path in sorted(KEPT.glob("*.jsonl"))]
    sections = [section(Comparison(results)) for results in studies]
    return "\n".join([HEAD, *(sections or ["No study is kept yet.\n"])])


def section(comparison: Comparison) -> str:
    """What one study asks, what came out, and every run of it."""
    study = comparison.results[0].study
    parts = [f"## {study}", f"{asked(study)} {made_at(comparison)}"]
    for task in comparison.tasks:
        for thing in comparison.things(task):
            lines = comparison.lines(task, thing)
            rows = [linked(study, line) for line in lines]
            parts += [f"### {task}: {thing}", nothing_scores(lines[0]), grid(COLUMNS, rows)]
            if thing in drawn(comparison, task):
                name = plot_of(study, task, thing).relative_to(PAGE.parent)
                parts.append(f"![{task}: {thing}, learning curves]({name})")
    parts += [f"#{part}" if part.startswith("#") else part for part in over_tasks(comparison)]
    return "\n\n".join([*parts, legend(comparison), "### Its runs", runs(comparison), ""])


def asked(study: str) -> str:
    """The question of a study, and where its plan is."""
    path = SPECS / f"{study}.toml"
    if not path.is_file():
        return made_by(study)
    try:
        question = read_spec_alone(path).asks
    except RigError as error:
        question = f"(The spec does not fit this version: {error})"
    return f"{question} Spec: [{path.name}](../benchmarks/specs/{path.name})."


def made_by(study: str) -> str:
    """What made a study that has no spec."""
    if (SPECS.parent / f"{study}.py").is_file():
        return f"Made by [`python -m benchmarks.{study}`](../benchmarks/{study}.py)."
    return "Run by itself, not from a spec."


def made_at(comparison: Comparison) -> str:
    """Which code the runs of a study are of: those of several are less alike than they look."""
    commits = Counter(short(result.commit) for result in comparison.results)
    if len(commits) == 1:
        return f"Code: `{next(iter(commits))}`."
    told = [f"`{commit}` ({num})" for commit, num in commits.most_common()]
    return f"Code (runs): {', '.join(told)}."


def short(commit: str) -> str:
    """A commit as people write it; that its code was changed is told."""
    return commit[:SHOWN_DIGITS] + commit[HASH_DIGITS:]


def linked(study: str, line: Line) -> list[str]:
    """A method's cells; its number leads to its runs."""
    shown = cells(line)
    shown[2] = f"[{shown[2]}](#{anchor(study, line.task, line.method)})"
    return shown


def runs(comparison: Comparison) -> str:
    """Every run of a study: its distances, and what made it."""
    rows, told = [], set()
    for number, result in enumerate(comparison.results, start=1):
        study = result.study
        place = anchor(study, result.task, result.method)
        mark = "" if place in told else f'<a id="{place}"></a>'
        told.add(place)
        rows.append(
            [
                f"{mark}[{result.id}](results/{study}.jsonl#L{number})",
                result.method,
                came_to(result),
                f"`{short(result.commit)}`",
                f"`{result.command}`",
            ]
        )
    columns = ("run", "method", "distance left", "commit", "command")
    return grid(columns, rows, len(columns))


def came_to(result: Result) -> str:
    """A run's last distances, and how many goals it reached by the task's own measure."""
    told = [f"{thing} {last(result, thing)}" for thing in result.things]
    if SUCCESS in result.curve:
        told.append(f"{result.curve[SUCCESS][-1]:.0%} reached")
    return ", ".join(told)


def last(result: Result, thing: str) -> str:
    """A run's last distance."""
    (line,) = Comparison([result]).lines(result.task, thing)
    return f"{line.show(line.iqm)} {line.unit}"


def draw(path: Path) -> None:
    """Draws the curves of a study that is kept."""
    comparison = Comparison(read_results(path))
    for task in comparison.tasks:
        for thing in drawn(comparison, task):
            save_curves(plot_of(path.stem, task, thing), comparison, task, thing)


def drawn(comparison: Comparison, task: str) -> list[str]:
    """The things of which there are curves: what the task is about, if it was seen to learn."""
    is_curve = any(len(r.curve[STEPS]) > 1 for r in comparison.results if r.task == task)
    return comparison.main_things(task) if is_curve else []


def plot_of(study: str, task: str, thing: str) -> Path:
    """Where a study's plot lies."""
    return KEPT / f"{slug(f'{study}-{task}-{thing}')}.png"


def anchor(study: str, task: str, method: str) -> str:
    """The place on the page where a method's runs are listed."""
    return slug(f"{study}-{task}-{method}")


if __name__ == "__main__":
    main(sys.argv[1:])
