"""What may be wrong with a run, in words: its own numbers beside what they should be."""

from collections.abc import Callable, Sequence

import numpy as np

from rig.report import html
from rig.report.run_facts import Facts


MISSED_SHARE = 0.5
"""A quantity is missed if reading it off errs by more than this share of knowing nothing."""
LEAST_CORRELATION = 0.2
"""Latent distance that agrees less with true distance is a poor reward."""
LEAST_TIME_CORRELATION = 0.1
"""Latent distance that agrees less with time does not follow what the robot does."""
LEAST_MOVED_SHARE = 0.05
"""An object that fewer episodes move is hardly learned about."""
LEAST_COVERAGE = 0.25
"""Goals in cells that practice never visited are guesses."""
LEAST_WEIGHT = 0.05
"""A latent of less weight hardly counts for the reward."""
LEAST_KL_NATS = 0.01
"""A latent of less information has collapsed onto the prior."""
NOT_LEARNED_SHARE = 0.9
"""More than this share of what doing nothing leaves is no better than doing nothing."""
NOTHING = "knowing_nothing"
TIME = "probe/time_distance_correlation"

Findings = list[str]


def what_may_be_wrong(runs: Sequence[Facts]) -> str:
    """The findings about each run, or that there are none."""
    parts = []
    for facts in runs:
        label = f"{facts.label}: " if len(runs) > 1 else ""
        found = findings(facts) or ["nothing stands out."]
        parts += [html.paragraph(f"{label}{text}") for text in found]
    return html.section("What may be wrong", *parts)


def findings(facts: Facts) -> Findings:
    """One line for each thing that stands out, the causes before what they cause."""
    return [text for look in LOOKS for text in look(facts)]


def missed_quantities(facts: Facts) -> Findings:
    """Quantities that can hardly be read off the latents."""
    found = []
    for key in filter(is_probe, facts.names()):
        error, nothing = facts.last(key) or 0.0, facts.last(nothing_of(key)) or 0.0
        quantity, _, unit = key.removeprefix("probe/").rpartition("_")
        if nothing and error > MISSED_SHARE * nothing:
            found.append(
                f"The latents hardly tell {quantity.replace('_', ' ')}: read off them it is "
                f"{error:.2f} {unit} off, and a blind guess is {nothing:.2f} {unit} off. See "
                "whether the reconstructions show it; if not, collect more images "
                "(--collect.num-images) or allow more latents (--vae.latent-dim)."
            )
    return found


def poor_distances(facts: Facts) -> Findings:
    """Latent distances that say little of true distance, or of time."""
    found = []
    for thing, value in named(facts, "probe/", "_distance_correlation").items():
        least = LEAST_TIME_CORRELATION if thing == "time" else LEAST_CORRELATION
        what = "time between frames" if thing == "time" else f"the true distance of the {thing}"
        if value < least:
            found.append(
                f"Latent distance says little of {what}: their correlation is {value:.2f}, "
                f"less than {least}. It is the reward: sweep the latents below to see what "
                "else they follow, and try --vae.whiten-floor or another --reward.kind."
            )
    return found


def collapsed_latents(facts: Facts) -> Findings:
    """Latents that hold nothing, or count for nothing."""
    kl, light = named(facts, "vae/kl_", "_nats"), light_latents(facts)
    empty = [n for n, value in kl.items() if value < LEAST_KL_NATS and n not in light]
    found = []
    if empty:
        found.append(
            f"{latents_named(empty)} collapsed, with less than {LEAST_KL_NATS} nats: lower "
            "--vae.beta, or fit for longer (--vae.num-fit-steps)."
        )
    if light and missed_quantities(facts):
        found.append(
            f"{latents_named(light)} hardly vary and weigh less than {LEAST_WEIGHT} in the "
            "reward, and something is missed: lower --vae.whiten-floor."
        )
    return found


def light_latents(facts: Facts) -> list[str]:
    """Latents that hardly count: most of a good run's too, where several follow one thing."""
    weight = named(facts, "vae/weight_", "")
    return [name for name, value in weight.items() if value < LEAST_WEIGHT]


def latents_named(names: Sequence[str]) -> str:
    """The latents in words."""
    return f"{'Latent' if len(names) == 1 else 'Latents'} {', '.join(names)}"


def idle_practice(facts: Facts) -> Findings:
    """Objects that practice hardly moved, or only near their start."""
    found = []
    for thing in named(facts, "practice/", "_moved_share"):
        share = mean_of(facts, f"practice/{thing}_moved_share")
        if share < LEAST_MOVED_SHARE:
            found.append(
                f"Practice moved the {thing} in only {share:.0%} of its episodes: what never "
                "moves can't be learned. Try more (--explore.random-eps, --explore.sigma), "
                "or for longer (--total-timesteps)."
            )
    for thing, covered in named(facts, "practice/", "_coverage").items():
        if covered < LEAST_COVERAGE:
            found.append(
                f"Practice brought the {thing} to only {covered:.0%} of the places that are "
                "asked for: goals elsewhere are guesses. Choose goals against density "
                "(--goals.source skewed) or practise for longer (--total-timesteps)."
            )
    return found


def nothing_learned(facts: Facts) -> Findings:
    """Objects that end about as far from their goals as if the robot had done nothing."""
    found = []
    for name, values in facts.evaluation.get("distances", {}).items():
        median, nothing = values["median"], values["do_nothing_median"]
        if nothing and median > NOT_LEARNED_SHARE * nothing:
            found.append(
                f"{name.rpartition('_')[0]}: the distance left is {median / nothing:.0%} of "
                "what doing nothing leaves. Train for longer; with --oracle it should come "
                "right, or learning itself is at fault and not the latents. --input true and "
                "--reward.distance true tell whether what the policy sees is at fault or the "
                "reward (docs/when-it-does-not-learn.md)."
            )
    return found


LOOKS: tuple[Callable[[Facts], Findings], ...] = (
    missed_quantities,
    poor_distances,
    collapsed_latents,
    idle_practice,
    nothing_learned,
)


def what_practice_did(runs: Sequence[Facts]) -> str:
    """What each latent shows, and what practice did to the world."""
    caption = "Each row: one latent swept from two standard deviations below its mean to above."
    sheets = [
        html.picture(sheet, caption if len(runs) == 1 else f"{facts.label}. {caption}")
        for facts in runs
        for sheet in facts.sheets("latents.png")
    ]
    rows = []
    for thing in dict.fromkeys(t for f in runs for t in named(f, "practice/", "_moved_share")):
        covered = [percent(f.last(f"practice/{thing}_coverage")) for f in runs]
        moved = [percent(mean_of(f, f"practice/{thing}_moved_share")) for f in runs]
        rows.append([f"{thing}: share of the goal region visited, in cells of 2 cm", *covered])
        rows.append(
            [
                f"{thing}: share of episodes that moved it over 1 cm (a hinge: 0.01 rad)",
                *moved,
            ]
        )
    if any(said := [f.last(TIME) for f in runs]):
        cells = ["" if value is None else f"{value:.2f}" for value in said]
        rows.append(["correlation of latent distance with time within an episode", *cells])
    if any(light := [", ".join(light_latents(f)) for f in runs]):
        rows.append([f"latents that hardly count: weight below {LEAST_WEIGHT}", *light])
    table = html.table(["", *(facts.label for facts in runs)], rows)
    return html.section("What the latents show, and what practice did", *sheets, table)


def percent(share: float | None) -> str:
    """A share in words; nothing if it was not measured."""
    return "" if share is None or np.isnan(share) else f"{share:.1%}"


def is_probe(key: str) -> bool:
    """Whether a metric says how far off a quantity is when read off the latents."""
    is_error = key.startswith("probe/") and not key.endswith("_correlation")
    return is_error and NOTHING not in key


def is_table_row(key: str) -> bool:
    """Whether a metric of the probe has a row of its own beside the reconstructions."""
    is_told_elsewhere = NOTHING in key or key == TIME
    return key.startswith("probe/") and not is_told_elsewhere


def nothing_of(key: str) -> str:
    """The metric that says what knowing nothing scores, for the one of a probe."""
    quantity, _, unit = key.rpartition("_")
    return f"{quantity}_{NOTHING}_{unit}"


def probe_cell(facts: Facts, key: str) -> str:
    """A probe's number, beside what knowing nothing scores if that was measured."""
    value, nothing = facts.last(key), facts.last(nothing_of(key))
    if value is None:
        return ""
    return f"{value:.2f}" if nothing is None else f"{value:.2f} (blind guess {nothing:.2f})"


def named(facts: Facts, start: str, end: str) -> dict[str, float]:
    """The last values of the metrics with this start and end, by what is between."""
    keys = [key for key in facts.names() if key.startswith(start) and key.endswith(end)]
    return {
        key.removeprefix(start).removesuffix(end): value
        for key in keys
        if (value := facts.last(key)) is not None
    }


def mean_of(facts: Facts, key: str) -> float:
    """The metric's mean over all that was measured; NaN if nothing was."""
    values = [row[key] for row in facts.rows if key in row]
    return float(np.mean(values)) if values else float("nan")
