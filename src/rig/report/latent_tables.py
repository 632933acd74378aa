"""Tables of a report: what a probe reads off the latents, and what practice did."""

import numpy as np

from rig.report.diagnose import BLIND_GUESS, LEAST_WEIGHT, blind_guess_of, light_latents
from rig.report.elements import Runs, Table, table_of
from rig.report.run_facts import Facts


TIME = "probe/time_distance_correlation"


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


def percent(share: float | None) -> str:
    """Return a share as text, empty if it was not measured."""
    return "" if share is None or np.isnan(share) else f"{share:.1%}"


def decimal(value: float | None) -> str:
    """Return a number as text, empty if it was not measured."""
    return "" if value is None else f"{value:.2f}"
