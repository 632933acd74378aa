"""What is learned, over seeds: `python -m benchmarks.learning NAME...`.

Each study is a task, a preset and some overrides, run for several seeds by ``rig train``. A
seed that has its result in ``docs/learning/NAME.jsonl`` is not run again, so a study goes on
where it was stopped. Afterwards ``docs/learning.md`` is written from all the results there are.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rig.lab.keep.run import Run


RESULTS = Path(__file__).parent.parent / "docs" / "learning"
PAGE = RESULTS.with_suffix(".md")
MILESTONES_STEPS = (25_000, 50_000, 100_000)
PUCK_MEAN = "eval/puck_distance_mean_m"


@dataclass(frozen=True, kw_only=True)
class Study:
    """One setting, run for several seeds."""

    arguments: tuple[str, ...]
    """What follows ``rig train``."""
    num_seeds: int
    asks: str
    """The bar, in words."""


STEPS_48K = ("--num-env-steps", "48000")
PUSH_48K = ("Push", "--preset", "fast", *STEPS_48K)

STUDIES = {
    "reach-fast": Study(
        arguments=("Reach", "--preset", "fast"),
        num_seeds=5,
        asks="median hand distance at most 1.5 cm in at most 3 minutes, on 5 of 5 seeds",
    ),
    "push-oracle": Study(
        arguments=("Push", "--preset", "fast", "--oracle", *STEPS_48K),
        num_seeds=1,
        asks="puck at most 2.5 cm within 150 000 steps",
    ),
    "push-true-input": Study(
        arguments=(*PUSH_48K, "--input", "true"),
        num_seeds=1,
        asks="as near as push-oracle, if the latent reward is as good as the true distance",
    ),
    "push-true-reward": Study(
        arguments=(*PUSH_48K, "--reward.distance", "true"),
        num_seeds=1,
        asks="as near as push-oracle, if latents are as good to see as the true state",
    ),
    "push-fast": Study(
        arguments=("Push", "--preset", "fast", "--evaluate.every-steps", "12400"),
        num_seeds=5,
        asks="within 150 000 steps and 12 minutes: mean puck distance 2.0 cm (median seed) and "
        "3.0 (worst), median 1.2, mean hand distance 2.5",
    ),
    "push-paper": Study(
        arguments=(
            *("Push", "--preset", "paper", "--num-env-steps", "20000"),
            *("--collect.num-images", "5000", "--vae.num-fit-steps", "2000"),
        ),
        num_seeds=1,
        asks="runs end to end; a 25th of the paper's steps, so no measure of it",
    ),
}


def main(names: list[str]) -> None:
    """Runs what is missing of the studies named, and writes the page."""
    for name in names:
        if name not in STUDIES:
            sys.exit(f"no study {name!r}: known: {', '.join(STUDIES)}")
        for seed in range(STUDIES[name].num_seeds):
            if seed not in {row["seed"] for row in results(name)}:
                keep(name, run(name, seed))
    PAGE.write_text(page())


def run(name: str, seed: int) -> dict:
    """Trains one seed; its evaluations, its time and what it ran on."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "run"
        command = ["rig", "train", *STUDIES[name].arguments, "--seed", str(seed)]
        rig = Path(sys.executable).with_name("rig")
        subprocess.run([rig, *command[1:], "--out", out], check=True)
        return result(out, seed, " ".join(command))


def result(out: Path, seed: int, command: str) -> dict:
    """What is kept of a run's directory."""
    rows = Run.open(out).metrics()
    origin = json.loads((out / "origin.json").read_text())
    measured = [row for row in rows if any(key.startswith("eval/") for key in row)]
    return {
        "seed": seed,
        "command": command,
        "commit": origin.get("commit", ""),
        "num_cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "curve": measured,
    }


def keep(name: str, row: dict) -> None:
    """Adds a result to the study's file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def results(name: str) -> list[dict]:
    """The results that a study has."""
    path = RESULTS / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def page() -> str:
    """The table of all results, as Markdown."""
    lines = [
        "# What is learned",
        "",
        "Written by `python -m benchmarks.learning`; the curves are in `docs/learning/`.",
        "Distances in cm at the last step, over 100 goal pictures that practice never saw:",
        "the median over goals, and the mean in brackets. Minutes are of training, collection",
        "and VAE included and evaluation left out, on a shared machine of 2 cores; `load` is",
        "how many processes wanted them. Doing nothing (median) is the last column.",
        "",
        "| study | asked | seed | steps | minutes | load | hand | puck | doing nothing |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, study in STUDIES.items():
        lines += [table_row(name, study, row) for row in results(name)]
    lines += ["", *curve_lines()]
    commands = [f"- `{row['command']}` at {row['commit'][:7]}" for row in every_result()]
    return "\n".join([*lines, "", "Commands:", "", *dict.fromkeys(commands), ""])


def curve_lines() -> list[str]:
    """The mean puck distance of every run of Push on the way, as a table."""
    heads = " | ".join(f"by {steps:,}" for steps in MILESTONES_STEPS)
    return [
        "On the way: the mean puck distance, cm, at the last evaluation by so many steps.",
        "",
        f"| study | seed | {heads} |",
        "|---|---|" + "---|" * len(MILESTONES_STEPS),
        *(curve_row(name, row) for name in STUDIES for row in results(name) if pushes(row)),
    ]


def pushes(row: dict) -> bool:
    """Whether there was a puck."""
    return PUCK_MEAN in row["curve"][-1]


def curve_row(name: str, row: dict) -> str:
    """One run of Push on the way, as a row of the table."""
    cells = [name, str(row["seed"])]
    for steps in MILESTONES_STEPS:
        by_then = [entry for entry in row["curve"] if entry["num_env_steps"] <= steps]
        cells.append(f"{100 * by_then[-1][PUCK_MEAN]:.2f}" if by_then else "")
    return "| " + " | ".join(cells) + " |"


def every_result() -> list[dict]:
    """The results of all studies."""
    return [row for name in STUDIES for row in results(name)]


def table_row(name: str, study: Study, row: dict) -> str:
    """One seed's last evaluation as a row of the table."""
    last = row["curve"][-1]
    minutes = (last["wall_s"] - last["evaluation_s"]) / 60
    cells = [name, study.asks, str(row["seed"]), f"{last['num_env_steps']}", f"{minutes:.1f}"]
    cells.append(f"{row['load']:.1f}")
    cells += [distance(last, "hand"), distance(last, "puck"), nothing(last)]
    return "| " + " | ".join(cells) + " |"


def distance(last: dict, thing: str) -> str:
    """Median and mean distance of a thing, cm."""
    if f"eval/{thing}_distance_m" not in last:
        return ""
    median, mean = (last[f"eval/{thing}_distance{end}_m"] * 100 for end in ("", "_mean"))
    return f"{median:.2f} ({mean:.2f})"


def nothing(last: dict) -> str:
    """What doing nothing scores, cm."""
    values = {key: np.round(value * 100, 1) for key, value in last.items() if "nothing" in key}
    return ", ".join(
        f"{key.removeprefix('eval/do_nothing_').removesuffix('_distance_m')} {value}"
        for key, value in values.items()
    )


if __name__ == "__main__":
    main(sys.argv[1:])
