"""What each section of a report shows: numbers, tables, images and plots of the runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from rig.report.diagnose import (
    BLIND_GUESS,
    LEAST_WEIGHT,
    blind_guess_of,
    findings,
    light_latents,
)
from rig.report.plots import Plot, to_svg
from rig.report.run_facts import FIT_STEPS, MINUTES, STEPS, Facts
from rig.report.tables import COLUMNS
from rig.runs.settings import learned_from, preset_of
from rig.settings import flat
from rig.units import amount, duration, label_of, number, object_of, unit_of


MOST_GRIDS = 5
"""Grids of imagined goals in all, but at least the first and the last of each run."""
VIDEO = "reach.mp4"
"""A run's video, shown if it exists; `rig demo` makes one."""
AXES = {STEPS: "environment steps", MINUTES: "training time, minutes"}
LOSSES = {
    "td3/critic_loss": "critic's loss",
    "td3/value": "value estimated by the critic",
    "vae/error_nats": "VAE: reconstruction error",
    "vae/kl_nats": "VAE: KL of the latent",
}
"""Metrics of learning itself; each is drawn if it was measured."""
ATTEMPTS = {
    "reached.png": "Top: held-out goal images. Bottom: the end of each attempt.",
    "worst.png": "The same for the goals missed by most.",
}
TRAVERSAL = "Each row: one latent, from two standard deviations below its mean to two above."
RECONSTRUCTION = "Top: camera images. Bottom: their reconstructions from the latent."
TIME = "probe/time_distance_correlation"

Runs = Sequence[Facts]


@dataclass(frozen=True, slots=True)
class Card:
    """A number to see first."""

    number: str
    what: str
    note: str


@dataclass(frozen=True, slots=True)
class Table:
    """Names at the left, values at the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[bool] = ()
    """Rows to highlight."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An image or a video, and its caption."""

    path: Path
    caption: str


def title(runs: Runs) -> str:
    """Return the tasks, and the number of runs."""
    tasks = ", ".join(dict.fromkeys(facts.run.config.task for facts in runs))
    return tasks if len(runs) == 1 else f"{tasks}: {len(runs)} runs"


def lead(facts: Facts) -> str:
    """Return one run in a sentence."""
    config = facts.run.config
    return f"Learned from {learned_from(config)}: {preset_of(config)}, seed {config.seed}."


def cards(facts: Facts) -> list[Card]:
    """Return the numbers of one run to see first."""
    shown = []
    for name, values in facts.evaluation.get("distances", {}).items():
        what = f"{object_of(name)}'s median distance from its goal"
        no_op = amount(name, values["do_nothing_median"])
        note = f"over {facts.evaluation['num_episodes']} goal images; no-op policy: {no_op}"
        shown.append(Card(amount(name, values["median"]), what, note))
    if not shown:
        shown.append(Card("in progress", "no final evaluation yet", ""))
    where = f"{facts.num_env_steps:,} environment steps on {facts.origin.get('device', '?')}"
    return [*shown, Card(duration(facts.training_s), "of training", where)]


def results(runs: Runs) -> Table:
    """Return all evaluations as one table."""
    rows = [
        [
            facts.label,
            label_of(name),
            *(number(name, values[key]) for key in COLUMNS.values()),
            f"{facts.num_env_steps:,}",
            duration(facts.training_s),
        ]
        for facts in runs
        for name, values in facts.evaluation.get("distances", {}).items()
    ]
    return Table(["run", "object", *COLUMNS, "steps", "training"], rows)


def problems(runs: Runs) -> list[str]:
    """Return what may be wrong with each run, or that nothing stands out."""
    found = [(facts, findings(facts) or ["Nothing stands out."]) for facts in runs]
    return [captioned(runs, facts, text) for facts, texts in found for text in texts]


def attempts(runs: Runs) -> list[Figure]:
    """Return goal images and what the camera saw at the end of each attempt."""
    shown = []
    for facts in runs:
        video = facts.run.directory / VIDEO
        if video.is_file():
            caption = "The goal image, the camera, and the reconstruction of what it sees."
            shown.append(Figure(video, captioned(runs, facts, caption)))
        for name, caption in ATTEMPTS.items():
            shown += figures([facts], name, captioned(runs, facts, caption))
    return shown


def imagined(runs: Runs) -> list[Figure]:
    """Return imagined goals above where practising them ended, over time."""
    shown = []
    for facts in runs:
        grids = facts.images("imagined-*.png")
        for path in evenly_spaced(grids, max(2, MOST_GRIDS // len(runs))):
            num_steps = int(path.stem.removeprefix("imagined-"))
            caption = f"After {num_steps:,} steps: imagined goals, and where practice ended."
            shown.append(Figure(path, captioned(runs, facts, caption)))
    return shown


def figures(runs: Runs, name: str, caption: str) -> list[Figure]:
    """Return the image file of this name from each run that has it."""
    return [
        Figure(path, captioned(runs, facts, caption))
        for facts in runs
        for path in facts.images(name)
    ]


def captioned(runs: Runs, facts: Facts, text: str) -> str:
    """Return a text, after the run's name if there are several runs."""
    return text if len(runs) == 1 else f"{facts.label}. {text}"


def evenly_spaced(paths: Sequence[Path], num: int) -> list[Path]:
    """Return ``num`` of the paths, with the first and the last."""
    chosen = np.linspace(0, max(len(paths) - 1, 0), num).round().astype(int)
    return [paths[index] for index in np.unique(chosen)] if paths else []


def distance_plots(runs: Runs) -> list[Markup]:
    """Return each object's distance, against steps and against time."""
    names = sorted({key for facts in runs for key in facts.names() if is_distance(key)})
    return [to_svg(distance_plot(runs, name, x)) for name in names for x in AXES]


def is_distance(key: str) -> bool:
    """Return whether a metric is the median distance of an object."""
    is_median = "_distance_" in key and "_mean_" not in key and "do_nothing" not in key
    return key.startswith("eval/") and is_median


def distance_plot(runs: Runs, name: str, x: str) -> Plot:
    """Return one object's distance, and the no-op policy's as a level."""
    measured = name.removeprefix("eval/")
    unit, object_name = unit_of(measured), object_of(measured).removesuffix("_distance")
    levels = [facts.last(f"eval/do_nothing_{measured}") for facts in runs]
    return Plot(
        title=f"{object_name}: distance from its goal, {unit.shown}",
        x_label=AXES[x],
        lines=[line for facts in runs if len((line := facts.line(x, name, unit.scale)).x)],
        level=next((unit.scale * value for value in levels if value is not None), None),
        level_label="no-op policy",
        is_log=True,
    )


def loss_plots(runs: Runs) -> list[Markup]:
    """Return the metrics of learning itself."""
    plots = []
    for key, name in LOSSES.items():
        x = FIT_STEPS if key.startswith("vae/") else STEPS
        if lines := [line for facts in runs if len((line := facts.line(x, key)).x)]:
            label = "steps of the fit" if x == FIT_STEPS else AXES[STEPS]
            unit = "nats per image" if key.endswith("_nats") else ""
            plots.append(to_svg(Plot(title=name, x_label=label, y_label=unit, lines=lines)))
    return plots


def probe_table(runs: Runs) -> Table:
    """Return what the probe measured after the last fit."""
    keys = dict.fromkeys(key for facts in runs for key in facts.names() if is_probe_row(key))
    rows = {probe_name(key): [probe_cell(facts, key) for facts in runs] for key in keys}
    return table_of(runs, rows)


def is_probe_row(key: str) -> bool:
    """Return whether a metric of the probe has a row of its own."""
    return key.startswith("probe/") and BLIND_GUESS not in key and key != TIME


def probe_name(key: str) -> str:
    """Return the metric of a probe in words."""
    name = key.removeprefix("probe/")
    if name.endswith(("_cm", "_rad")):
        quantity, _, unit = name.rpartition("_")
        return f"{quantity.replace('_', ' ')}: error of a probe of the latents, {unit}"
    if name.endswith("_distance_correlation"):
        object_name = name.removesuffix("_distance_correlation")
        return f"{object_name}: correlation of latent distance with true distance"
    return name.replace("_", " ")


def probe_cell(facts: Facts, key: str) -> str:
    """Return the probe's number, next to that of a blind guess if there is one."""
    value, blind = facts.last(key), facts.last(blind_guess_of(key))
    if value is None or blind is None:
        return decimal(value)
    return f"{value:.2f} (blind guess {blind:.2f})"


def practice_table(runs: Runs) -> Table:
    """Return what practice did to each object, and which latents hardly count."""
    rows: dict[str, list[str]] = {}
    found = [name for facts in runs for name in facts.last_between("practice/", "_moved_share")]
    for name in dict.fromkeys(found):
        covered, moved = f"practice/{name}_coverage", f"practice/{name}_moved_share"
        rows |= {
            f"{name}: share of the goal region visited, in cells of 2 cm": [
                percent(facts.last(covered)) for facts in runs
            ],
            f"{name}: share of episodes that moved it over 1 cm (a hinge: 0.01 rad)": [
                percent(facts.mean(moved)) for facts in runs
            ],
        }
    rows["correlation of latent distance with time within an episode"] = [
        decimal(facts.last(TIME)) for facts in runs
    ]
    light = [", ".join(light_latents(facts)) for facts in runs]
    return table_of(runs, rows | {f"latents with weight below {LEAST_WEIGHT}": light})


def table_of(runs: Runs, rows: Mapping[str, Sequence[str]]) -> Table:
    """Return a table with a column for each run, without the rows that no run has."""
    shown = [[name, *cells] for name, cells in rows.items() if any(cells)]
    return Table(["", *(facts.label for facts in runs)], shown)


def percent(share: float | None) -> str:
    """Return a share as text, empty if it was not measured."""
    return "" if share is None or np.isnan(share) else f"{share:.1%}"


def decimal(value: float | None) -> str:
    """Return a number as text, empty if it was not measured."""
    return "" if value is None else f"{value:.2f}"


def settings(runs: Runs) -> Table:
    """Return every setting of every run, with those that differ marked."""
    columns = [flat(asdict(facts.run.config)) for facts in runs]
    rows = [[name, *(str(column[name]) for column in columns)] for name in columns[0]]
    marked = [len(set(row[1:])) > 1 for row in rows]
    return Table(["setting", *(facts.label for facts in runs)], rows, marked)


def origins(runs: Runs) -> dict[str, Table]:
    """Return the origin of each run, by its name."""
    return {facts.label: Table(["", ""], name_rows(facts.origin)) for facts in runs}


def name_rows(values: dict[str, Any]) -> list[list[str]]:
    """Return nested values as rows of a dotted name and a text."""
    return [[name, str(value)] for name, value in flat(values).items()]
