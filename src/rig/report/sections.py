"""What each section of a report shows: numbers, tables, images and plots of the runs."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from rig.report.diagnose import findings
from rig.report.elements import Card, Figure, Runs, Table, captioned
from rig.report.plots import Plot, to_svg
from rig.report.run_facts import FIT_STEPS, MINUTES, STEPS, Facts
from rig.report.tables import COLUMNS
from rig.runs.reward_choice import GAMMA, N_STEPS, NEAR_SHARE, NUM_REWARDS, choice_in_words
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


def title(runs: Runs) -> str:
    """Return the tasks, and the number of runs."""
    tasks = ", ".join(dict.fromkeys(facts.run.config.task for facts in runs))
    return tasks if len(runs) == 1 else f"{tasks}: {len(runs)} runs"


def lead(facts: Facts) -> str:
    """Return one run in a sentence, and more if it chose its own reward."""
    config, share = facts.run.config, facts.last(NEAR_SHARE)
    learned = f"Learned from {learned_from(config)}: {preset_of(config)}, seed {config.seed}."
    if share is None:
        return learned
    reward = f"Its reward is {choice_in_words(share, facts.last(NUM_REWARDS) or 1)}."
    if (gamma := facts.last(GAMMA)) is None:
        return f"{learned} {reward}"
    steps = facts.last(N_STEPS) or 1
    summed = "one step" if steps == 1 else f"{steps:.0f} steps"
    return f"{learned} {reward} Its discount is {gamma:g}, and its returns are of {summed}."


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
