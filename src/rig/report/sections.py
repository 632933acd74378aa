"""The sections of a report, in the order of a story: what came out, how, and from what."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

import numpy as np

from rig.report import html
from rig.report.charts import Chart, to_svg
from rig.report.diagnose import is_table_row, probe_cell
from rig.report.run_facts import FIT_STEPS, MINUTES, STEPS, Facts
from rig.report.tables import COLUMNS
from rig.runs.settings import learned_from, preset_of
from rig.settings import flat
from rig.units import amount, duration, label_of, number, object_of, unit_of


MOST_SHEETS = 5
"""About so many sheets of imagined goals in all; of each run at least first and last."""
VIDEO = "reach.mp4"
"""A run's video, shown if it is there; `rig demo` makes one."""
AXES = {STEPS: "environment steps", MINUTES: "training time, minutes"}
INSIDE = {
    "td3/critic_loss": "critic's loss",
    "td3/value": "value the critic expects",
    "vae/error_nats": "VAE: reconstruction error",
    "vae/kl_nats": "VAE: information in the latent",
}
"""Metrics of learning itself; each is drawn if it was measured."""

BLUR = (
    "The VAE first learns from blurred images, and from sharper ones as its fit goes on: its "
    "error rises when they sharpen, because there is more to get right."
)

Runs = Sequence[Facts]


def title_of(runs: Runs) -> str:
    """What the page is about."""
    tasks = ", ".join(dict.fromkeys(facts.run.config.task for facts in runs))
    return escape(tasks if len(runs) == 1 else f"{tasks}: {len(runs)} runs")


def headline(runs: Runs) -> str:
    """The results first: how near the robot comes, beside what doing nothing gives."""
    parts = [f"<header>\n<h1>{title_of(runs)}</h1>"]
    if len(runs) == 1:
        parts += [html.paragraph(lead(runs[0])), cards(runs[0])]
    else:
        parts.append(html.paragraph("Distance left to the goal, over the same goal pictures."))
        parts.append(results(runs))
    return "\n".join([*parts, "</header>"])


def lead(facts: Facts) -> str:
    """One run in one sentence."""
    config = facts.run.config
    return f"Learned from {learned_from(config)}: {preset_of(config)}, seed {config.seed}."


def cards(facts: Facts) -> str:
    """The numbers of one run that should be seen first."""
    shown = []
    for name, values in facts.evaluation.get("distances", {}).items():
        what = f"{object_of(name)}'s median distance left"
        num = facts.evaluation["num_episodes"]
        nothing = amount(name, values["do_nothing_median"])
        beside = f"over {num} goal pictures; doing nothing leaves {nothing}"
        shown.append(html.card(amount(name, values["median"]), what, beside))
    if not shown:
        shown.append(html.card("in progress", "not evaluated to its end yet", ""))
    where = f"{facts.num_env_steps:,} environment steps on {facts.origin.get('device', '?')}"
    shown.append(html.card(duration(facts.training_s), "of training", where))
    return html.row_of("cards", shown)


def results(runs: Runs) -> str:
    """All evaluations as one table."""
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
    return html.table(["run", "object", *COLUMNS, "steps", "training"], rows)


def what_it_reached(runs: Runs) -> str:
    """Goal pictures and what the camera saw at the end."""
    parts = []
    for facts in runs:
        video_frames = facts.run.directory / VIDEO
        if video_frames.is_file():
            caption = "The goal picture, the camera, and what the robot makes of what it sees."
            parts.append(html.video(video_frames, named(runs, facts, caption)))
        parts += [
            html.picture(sheet, named(runs, facts, caption))
            for name, caption in TRIED.items()
            for sheet in facts.sheets(name)
        ]
    return html.section("What it reached", *parts)


TRIED = {
    "reached.png": "Above: goal pictures never practised. Below: the end of each try.",
    "worst.png": "The same for the goals missed by most: what can't be reached shows here.",
}
"""Sheets of what was tried, and what is said of them."""


def how_it_learned(runs: Runs) -> str:
    """Distance left, against steps and against time."""
    names = sorted({key for facts in runs for key in facts.names() if is_distance(key)})
    charts = [distance_chart(runs, name, x) for name in names for x in AXES]
    about = (
        "The median distance that is left at the end of a try, over the same goal pictures "
        "each time, on a scale of equal ratios. The robot is never told this number: it learns "
        "from its own images only. Time spent on evaluation is not counted."
    )
    drawn = html.row_of("charts", [figure for figure in charts if figure])
    return html.section("How it learned", html.paragraph(about), drawn) if drawn else ""


def is_distance(key: str) -> bool:
    """Whether a metric is an object's median distance."""
    is_median = "_distance_" in key and "_mean_" not in key and "do_nothing" not in key
    return key.startswith("eval/") and is_median


def distance_chart(runs: Runs, name: str, x: str) -> str:
    """One object's distance."""
    measured = name.removeprefix("eval/")
    unit, thing = unit_of(measured), object_of(measured).removesuffix("_distance")
    levels = [facts.last(f"eval/do_nothing_{measured}") for facts in runs]
    level = next((unit.scale * value for value in levels if value is not None), None)
    chart = Chart(
        title=f"{thing}: distance left, {unit.shown}",
        x_label=AXES[x],
        y_label="",
        lines=[line for facts in runs if len((line := facts.line(x, name, unit.scale)).x)],
        level=level,
        level_label="doing nothing",
        is_log=True,
    )
    return to_svg(chart)


def what_it_imagined(runs: Runs) -> str:
    """Imagined goals above the rollouts that practised them, over time."""
    parts = []
    for facts in runs:
        for sheet in spread(facts.sheets("imagined-*.png"), max(2, MOST_SHEETS // len(runs))):
            num = int(sheet.stem.removeprefix("imagined-"))
            caption = f"After {num:,} steps: imagined goals, and where practising them ended."
            parts.append(html.picture(sheet, named(runs, facts, caption)))
    about = (
        "Nobody gives the robot goals while it learns. It draws latents, which are shown here "
        "decoded, and practises reaching them."
    )
    return (
        html.section("What it imagined and practised", html.paragraph(about), *parts)
        if parts
        else ""
    )


def spread(sheets: Sequence[Path], num: int) -> list[Path]:
    """So many of the sheets, the first and the last among them, evenly apart."""
    chosen = np.linspace(0, max(len(sheets) - 1, 0), num).round().astype(int)
    return [sheets[index] for index in np.unique(chosen)] if sheets else []


def what_it_saw(runs: Runs) -> str:
    """Reconstructions, and how well latents hold the true quantities."""
    caption = "Above: camera images. Below: what is left of them after the latent."
    parts = [
        html.picture(sheet, named(runs, facts, caption))
        for facts in runs
        for sheet in facts.sheets("reconstructions.png")
    ]
    about = "How well the latents tell what they were never told (for evaluation only):"
    probes = probe_table(runs)
    return html.section("What it saw", *parts, html.paragraph(about) if probes else "", probes)


def probe_table(runs: Runs) -> str:
    """What the probe measured after the last fit."""
    keys = dict.fromkeys(key for f in runs for key in f.names() if is_table_row(key))
    rows = []
    for key in keys:
        rows.append([probe_name(key), *(probe_cell(facts, key) for facts in runs)])
    return html.table(["", *(facts.label for facts in runs)], rows)


def probe_name(key: str) -> str:
    """A probe's metric in words."""
    name = key.removeprefix("probe/")
    if name.endswith(("_cm", "_rad")):
        quantity, _, unit = name.rpartition("_")
        return f"{quantity.replace('_', ' ')}: error when read off the latents, {unit}"
    if name.endswith("_distance_correlation"):
        thing = name.removesuffix("_distance_correlation")
        return f"{thing}: correlation of latent distance with true distance"
    return name.replace("_", " ")


def what_went_on_inside(runs: Runs) -> str:
    """The curves of learning itself."""
    charts = []
    for key, title in INSIDE.items():
        x = FIT_STEPS if key.startswith("vae/") else STEPS
        lines = [line for facts in runs if len((line := facts.line(x, key)).x)]
        label = "steps of the fit" if x == FIT_STEPS else AXES[STEPS]
        unit = "nats per image" if key.endswith("_nats") else ""
        chart = Chart(title=title, x_label=label, y_label=unit, lines=lines)
        charts.append(to_svg(chart) if lines else "")
    is_blurred = any(facts.run.config.vae.blur_sigmas_px for facts in runs)
    about = html.paragraph(BLUR) if is_blurred and any(charts) else ""
    return html.section("What went on inside", about, html.row_of("charts", charts))


def settings(runs: Runs) -> str:
    """Every setting of every run; those that differ are marked."""
    columns = [flat(asdict(facts.run.config)) for facts in runs]
    rows = [[name, *(str(column[name]) for column in columns)] for name in columns[0]]
    marked = [len(set(row[1:])) > 1 for row in rows]
    listed = html.table(["setting", *(facts.label for facts in runs)], rows, marked)
    return html.section("Settings", html.folded(f"All {len(rows)} settings", listed))


def origins(runs: Runs) -> str:
    """What made each run."""
    parts = []
    for facts in runs:
        rows = [[name, str(value)] for name, value in flat(facts.origin).items()]
        parts.append(html.folded(f"What made {facts.label}", html.table(["", ""], rows)))
    return html.section("Origin", *parts)


def named(runs: Runs, facts: Facts, caption: str) -> str:
    """The caption, with the run's name if there are several."""
    return caption if len(runs) == 1 else f"{facts.label}. {caption}"
