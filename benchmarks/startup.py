"""How long the command line takes to answer.

``python -m benchmarks.startup [--src CHECKOUT/src] [--out FILE.txt]`` times ``import rig``,
``rig --help`` and each command's ``--help`` with the code of a checkout, in turns and each in
its own process. Run it on an idle machine.
"""

import argparse
import os
import platform
import sys
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
    options = parser.parse_args()
    checkout = Checkout.at(options.src)
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


def table(measured: Mapping[str, Sequence[float]]) -> str:
    """Return the best and the median of each command's times, as text."""
    about = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [f"{about}, {NUM_ROUNDS} rounds", f"{'':24} {'best s':>8} {'median s':>8}"]
    for name, taken_s in measured.items():
        lines.append(f"{name:24} {min(taken_s):8.3f} {median(taken_s):8.3f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
