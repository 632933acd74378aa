"""How long the command line takes to answer.

``python -m benchmarks.startup [--src CHECKOUT/src] [--out FILE.txt]`` times ``import rig``,
``rig --help`` and each command's ``--help`` with the code of a checkout, in turns and each in
its own process. Run it on an idle machine.

``python -m benchmarks.startup --runs RUN BASE_RUN --base CHECKOUT/src`` compares, in turns, the
commands that use a trained run with those of another checkout. Each has a run of Reach that its
own code made. It reports processor time and wall time, and their ratios.
"""

import argparse
import os
import platform
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.checkout import Checkout, output


COMMANDS = (
    "train",
    "reach",
    "evaluate",
    "imagine",
    "look",
    "report",
    "doctor",
    "demo",
    "export",
    "upload",
    "download",
    "sweep",
    "runs",
    "compare",
    "serve",
)
NUM_ROUNDS = 5
"""Rounds that count; one more before them warms the disk cache."""


def main() -> None:
    """Measure, print the table, and write it if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--src", type=Path, default=Path("src"), help="the src of a checkout")
    parser.add_argument("--out", type=Path, help="a file to write the table to")
    parser.add_argument("--base", type=Path, help="the src of a checkout to compare with")
    parser.add_argument("--runs", type=Path, nargs=2, help="a run of Reach by each of them")
    options = parser.parse_args()
    checkout = Checkout.at(options.src)
    if options.runs:
        both = [checkout, Checkout.at(options.base)]
        text = compared(both, [run.resolve() for run in options.runs], NUM_ROUNDS)
    else:
        text = table(measured(checkout, NUM_ROUNDS))
    print(text, end="")
    if options.out:
        options.out.write_text(text)


def measured(checkout: Checkout, num_rounds: int) -> dict[str, list[float]]:
    """Return the seconds that each command took, round by round."""
    every = commands(checkout)
    took_s = {name: list[float]() for name in every}
    for _ in range(1 + num_rounds):
        for name, command in every.items():
            start_s = perf_counter()
            output(command, checkout.src)
            took_s[name].append(perf_counter() - start_s)
    return {name: taken[1:] for name, taken in took_s.items()}


def commands(checkout: Checkout) -> dict[str, list[str]]:
    """Return the commands that are timed, by their label."""
    every = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import rig": [sys.executable, "-c", "import rig"],
        "rig --help": checkout.command(["--help"]),
    }
    helps = {f"rig {name} --help": checkout.command([name, "--help"]) for name in COMMANDS}
    return every | helps


def compared(checkouts: Sequence[Checkout], runs: Sequence[Path], num_rounds: int) -> str:
    """Return the medians of each command on a run, for two checkouts, and their ratios."""
    lines = [
        f"{'':10} {'core s':>7} {'base':>7} {'ratio':>6} {'wall s':>7} {'base':>7} {'ratio':>6}"
    ]
    with tempfile.TemporaryDirectory() as folder:
        goal, grid = Path(folder, "goal.png"), Path(folder, "grid.png")
        output(
            checkouts[0].command(["look", "Reach", "--goal", "--out", str(goal)]),
            checkouts[0].src,
        )
        for words in (
            ["reach", "RUN", "--goal", str(goal)],
            ["evaluate", "RUN"],
            ["imagine", "RUN", "--out", str(grid)],
            ["doctor"],
        ):
            taken = [
                [
                    taken_s(checkout, [str(run) if word == "RUN" else word for word in words])
                    for checkout, run in zip(checkouts, runs, strict=True)
                ]
                for _ in range(1 + num_rounds)
            ]
            cells = [
                [median(row[which][unit] for row in taken[1:]) for which in range(2)]
                for unit in range(2)
            ]
            shown = [f"{ours:7.2f} {base:7.2f} {ours / base:6.2f}" for ours, base in cells]
            lines.append(f"{words[0]:10} {' '.join(shown)}")
    return "\n".join(lines) + "\n"


def taken_s(checkout: Checkout, words: Sequence[str]) -> tuple[float, float]:
    """Return the processor time and the wall time that a command takes."""
    before, start_s = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    output(checkout.command(words), checkout.src)
    wall_s, after = perf_counter() - start_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall_s


def table(measured: Mapping[str, Sequence[float]]) -> str:
    """Return the best and the median of each command's times, as text."""
    about = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [f"{about}, {NUM_ROUNDS} rounds", f"{'':24} {'best s':>8} {'median s':>8}"]
    for name, taken_s in measured.items():
        lines.append(f"{name:24} {min(taken_s):8.3f} {median(taken_s):8.3f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
