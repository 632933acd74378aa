"""Write the results pages: ``python -m benchmarks.results``.

docs/results.md shows every study in short. docs/results/STUDY.md has its full tables and its
runs, each with its commit and command. docs/results/STUDY.jsonl has the data.

``--keep SOURCE...`` first adds finished runs: from the directory of a study, or from a spec
whose study is under ``runs/``. They replace older results of the same runs, so a study can be
run a seed at a time, on any machine. A run that a study takes ``from`` another one is always as
the other one has it.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

from rig.compare.comparison import Comparison, MethodScore
from rig.compare.curves import save_curves
from rig.compare.kept_results import (
    STEPS,
    Result,
    gather_one,
    read_results,
    write_results,
)
from rig.compare.tables import (
    COLUMNS,
    cells,
    legend,
    markdown_table,
    median,
    no_op_score,
    overall_section,
)
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

Each table shows the final distance between an object and its place in 100 goal images that
were not used in training. *Median*: the median over goal images, then the interquartile mean
over seeds with a bootstrap 95 % interval. *Mean*: the mean over goal images and seeds. The name
of a study leads to its page, with all its tables, its runs and their commits and commands.

Training times are of one core. Some machines were three times as fast as others and none was
idle, so compare numbers of steps, not times.
"""
RUNS_HEAD = "<!-- Written by `python -m benchmarks.results`: change that, not this. -->"
PUBLISHED = {
    "push": "RIG 7.7 cm; Skew-Fit 4.0 cm at 300,000 steps; LEXA 2.3 cm",
    "pick": "RIG 3.7 cm; Skew-Fit 1.0 cm at 240,000 steps; LEXA 1.4 cm",
    "door": "Skew-Fit 0.03 to 0.05 rad at 85,000 steps",
}
"""The published means on the task of a study."""
SOURCES = """The published numbers are means, so compare them with the means. RIG and LEXA:
Mendonca et al. 2021 (arXiv 2110.09514), which ran RIG too. Skew-Fit: read off the plots of Pong
et al. 2020 (arXiv 1903.03698). They come from the authors' own simulations, cameras and goals,
so a small difference says little."""
BRIEF_COLUMNS = ("method", "seeds", "median", "mean", "steps")


def main(argv: Sequence[str]) -> None:
    """Add the results to be kept, and write the pages."""
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
            update_borrowed(path)
            write_study(path)
        PAGE.write_text(page())
    except RigError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")


def keep(source: Path) -> str:
    """Keep the finished runs of a source; return what to say about them."""
    results, left_out = gather_one(source)
    if not results:
        return f"{source}: no run is finished"
    study = results[0].study or slug(results[0].id)
    path = KEPT / f"{study}.jsonl"
    given = {*read_kept(path), *(result.id for result in results)}
    add_results(study, results)
    held = read_kept(path).keys()
    texts = [f"{path.relative_to(ROOT)}: {len(held)} runs are kept"]
    if left_out:
        texts.append(f"not finished: {', '.join(left_out)}")
    if gone := sorted(given - held):
        texts.append(f"not in the spec as it is now, so not kept: {', '.join(gone)}")
    return "; ".join(texts)


def add_results(study: str, results: list[Result]) -> None:
    """Add results to those kept of a study.

    Raises:
        RunError: None of them has the settings that the study's spec has now.
    """
    path = KEPT / f"{study}.jsonl"
    write_kept(path, merged(path, [replace(result, study=study) for result in results]))


def write_kept(path: Path, results: list[Result]) -> None:
    """Write the results kept of a study.

    Raises:
        RunError: There are none; then the file stays as it is.
    """
    if not results:
        raise RunError(
            f"no run for {path} has the settings that its spec has now: it stays as it is"
        )
    write_results(path, results)


def update_borrowed(path: Path) -> None:
    """Update the results that a study takes from others, if its spec can be read.

    They are then in the order of the spec, as in the tables and the plots.
    """
    spec = SPECS / f"{path.stem}.toml"
    if not spec.is_file():
        return
    with suppress(SpecError):
        plan = read_spec(spec).runs
        place = {run.id: index for index, run in enumerate(plan)}
        kept = read_kept(path)
        updated = with_borrowed(path, plan, kept).values()
        if gone := sorted(set(kept) - {result.id for result in updated}):
            print(f"{path}: without {', '.join(gone)}, which the other study has no more")
        in_order = sorted(updated, key=lambda result: place.get(result.id, len(place)))
        if in_order != list(kept.values()):
            write_kept(path, in_order)


def place_of(directory: Path) -> str:
    """Return a run's directory from ``runs`` on, which is the same on any machine."""
    parts = directory.resolve().parts
    return "/".join(parts[parts.index(RUNS.name) :]) if RUNS.name in parts else parts[-1]


def made_now() -> dict[str, str]:
    """Return the commit and the date of a measurement made now."""
    return {"commit": commit() or "", "date": now()}


def merged(path: Path, results: list[Result]) -> list[Result]:
    """Return the results kept with new ones added; with a spec, only those of its runs."""
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
    """Return the results kept, with those taken from other studies as they are there now."""
    sources = {run.id: run for run in plan if run.source_study}
    borrowed = {
        result.id: replace(result, study=path.stem)
        for study in sorted({run.source_study for run in sources.values()})
        for result in read_kept(path.with_name(f"{study}.jsonl")).values()
        if (run := sources.get(result.id)) and run.source_study == study and is_of(result, run)
    }
    both = {**kept, **borrowed}
    return {id_: both[id_] for id_ in both if id_ in borrowed or id_ not in sources}


def read_kept(path: Path) -> dict[str, Result]:
    """Return the results in a file by the id of their run; none if there is no file."""
    return {result.id: result for result in read_results(path)} if path.is_file() else {}


def is_of(result: Result | None, run: RunSpec) -> bool:
    """Return whether a result has the settings that its spec has now."""
    if result is None:
        return False
    return as_json(result.changes) == as_json(changes_from_published(run.config))


def as_json(changes: Mapping[str, Any]) -> str:
    """Return changes as JSON, which has no tuples, so that they can be compared."""
    return json.dumps(changes, sort_keys=True)


def page() -> str:
    """Return the overview of all studies, in Markdown."""
    studies = {path.stem: read_results(path) for path in sorted(KEPT.glob("*.jsonl"))}
    sections = [overview(Comparison(results)) for results in studies.values()]
    return "\n".join([HEAD, *published(studies), *(sections or ["No study is kept yet.\n"])])


def published(studies: Mapping[str, list[Result]]) -> list[str]:
    """Return a table of our means next to those that others published."""
    rows = []
    for study in PUBLISHED.keys() & studies.keys():
        comparison = Comparison(studies[study])
        (task,) = comparison.tasks
        (name,) = comparison.main_objects(task)
        score = comparison.scores(task, name)[0]
        seeds, middle, mean, steps = brief_cells(score)[1:]
        rows.append([task, seeds, middle, mean, score.unit, steps, PUBLISHED[study]])
    columns = ("task", "seeds", "median", "mean", "unit", "steps", "published means")
    parts = ["## Next to published results", SOURCES, markdown_table(columns, sorted(rows)), ""]
    return ["\n\n".join(parts)] if rows else []


def overview(comparison: Comparison) -> str:
    """Return what a study asks, and a short table for each main object."""
    study = comparison.results[0].study
    parts = [f"## [{study}](results/{study}.md)", question(study)]
    for task in comparison.tasks:
        for name in comparison.main_objects(task):
            scores = comparison.scores(task, name)
            parts.append(f"{task}, {name}, {scores[0].unit}. {no_op_score(scores[0])}")
            parts.append(markdown_table(BRIEF_COLUMNS, map(brief_cells, scores)))
    return "\n\n".join([*parts, ""])


def brief_cells(score: MethodScore) -> list[str]:
    """Return the cells of one method in a short table."""
    mean = "–" if isnan(score.mean_distance) else score.show(score.mean_distance)
    steps = f"{score.num_env_steps:,}"
    return [score.method, str(score.num_seeds), median(score), mean, steps]


def study_page(comparison: Comparison) -> str:
    """Return the page of one study: every table, the plots, and every run."""
    study = comparison.results[0].study
    about = f"{question(study)} {made_at(comparison)}"
    parts = [f"# {study}", RUNS_HEAD, f"{about} [All results](../results.md)."]
    for task in comparison.tasks:
        for name in comparison.objects(task):
            scores = comparison.scores(task, name)
            parts += [f"## {task}: {name}", no_op_score(scores[0])]
            parts.append(markdown_table(COLUMNS, map(cells, scores)))
            if name in drawn(comparison, task):
                plot = plot_of(study, task, name).name
                parts.append(f"![{task}: {name}, learning curves]({plot})")
    parts += [*overall_section(comparison), legend(comparison)]
    return "\n\n".join([*parts, "## Runs", runs(comparison), ""])


def question(study: str) -> str:
    """Return what a study asks, and the file that defines it."""
    path = SPECS / f"{study}.toml"
    if path.is_file():
        try:
            asks = read_spec_alone(path).asks
        except RigError as error:
            asks = f"(The spec does not fit this version: {error})"
        return f"{asks} Spec: `benchmarks/specs/{path.name}`."
    if (SPECS.parent / f"{study}.py").is_file():
        return f"Made by `python -m benchmarks.{study}`."
    return "A run by itself, without a spec."


def made_at(comparison: Comparison) -> str:
    """Return the commits that the runs of a study were made at."""
    commits = Counter(short(result.commit) for result in comparison.results)
    if len(commits) == 1:
        return f"Commit: `{next(iter(commits))}`."
    listed = [f"`{commit}` ({num})" for commit, num in commits.most_common()]
    return f"Commits (runs): {', '.join(listed)}."


def short(commit: str) -> str:
    """Return the first digits of a commit, and whether its code was changed."""
    return commit[:SHOWN_DIGITS] + commit[HASH_DIGITS:]


def runs(comparison: Comparison) -> str:
    """Return a table of a study's runs: their distances, commits and commands."""
    rows = [
        [
            f"[{result.id}]({result.study}.jsonl#L{number})",
            result.method,
            final_distances(result),
            f"`{short(result.commit)}`",
            f"`{result.command}`",
        ]
        for number, result in enumerate(comparison.results, start=1)
    ]
    columns = ("run", "method", "median distance", "commit", "command")
    return markdown_table(columns, rows, len(columns))


def final_distances(result: Result) -> str:
    """Return a run's final medians, and the share of goals reached by the task's own rule."""
    alone = Comparison([result])
    scores = [alone.scores(result.task, name)[0] for name in result.objects]
    texts = [f"{score.object} {score.show(score.iqm)} {score.unit}" for score in scores]
    if SUCCESS in result.curve:
        texts.append(f"{result.curve[SUCCESS][-1]:.0%} reached")
    return ", ".join(texts)


def write_study(path: Path) -> None:
    """Write the page of a study, and draw its curves."""
    comparison = Comparison(read_results(path))
    path.with_suffix(".md").write_text(study_page(comparison))
    for task in comparison.tasks:
        for name in drawn(comparison, task):
            save_curves(plot_of(path.stem, task, name), comparison, task, name)


def drawn(comparison: Comparison, task: str) -> list[str]:
    """Return the objects that have curves: the main ones, if there are several evaluations."""
    is_curve = any(len(r.curve[STEPS]) > 1 for r in comparison.results if r.task == task)
    return comparison.main_objects(task) if is_curve else []


def plot_of(study: str, task: str, name: str) -> Path:
    """Return the file of a study's plot."""
    return KEPT / f"{slug(f'{study}-{task}-{name}')}.png"


if __name__ == "__main__":
    main(sys.argv[1:])
