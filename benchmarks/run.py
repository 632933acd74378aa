"""The command: ``python -m benchmarks.run [--quick] [--json FILE] [--out FILE]``."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import checkpoint, end_to_end, envs, floor, loop, update, vae
from benchmarks.machine import describe, load_average
from benchmarks.page import page
from benchmarks.part import FULL, QUICK, Part, Size


PARTS: dict[str, Callable[[Size], Part]] = {
    "envs": envs.run,
    "update": update.run,
    "end to end": end_to_end.run,
    "vae": vae.run,
    "loop": loop.run,
    "checkpoint": checkpoint.run,
    "floor": floor.run,
}
PAGE = Path("docs/benchmarks.md")


def main(argv: Sequence[str]) -> None:
    """Measure all parts, or those that are named, and write the page."""
    options = parse(argv)
    machine, parts = describe(argv), {}
    for name in options.only:
        print(f"benchmarks: {name}", file=sys.stderr, flush=True)
        before = load_average()
        parts[name] = PARTS[name](QUICK if options.quick else FULL)
        machine[f"load during {name}"] = f"{before} before, {load_average()} after"
        machine["not measured"] = (
            ", ".join(name for name in PARTS if name not in parts) or "none: a full run"
        )
        save(options, machine, parts)
    if not options.out:
        print(page(machine, parts))


def save(options: argparse.Namespace, machine: dict[str, str], parts: dict[str, Part]) -> None:
    """Write the results so far, so that an interrupted run keeps what it measured."""
    if options.json:
        options.json.write_text(json.dumps(results(machine, parts), indent=2) + "\n")
    if options.out:
        options.out.write_text(page(machine, parts))


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the options; a full run writes docs/benchmarks.md, any other run prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the numbers, as one object")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"the page; {PAGE} by default")
    options = parser.parse_args(argv)
    if options.out is None and not options.quick and options.only == list(PARTS):
        options.out = PAGE
    return options


def results(machine: dict[str, str], parts: dict[str, Part]) -> dict[str, Any]:
    """Return all results as one JSON object."""
    return {"machine": machine} | {
        name: {
            "tables": [asdict(table) for table in part.tables],
            "targets": [
                asdict(target) | {"verdict": target.verdict} for target in part.targets
            ],
        }
        for name, part in parts.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
