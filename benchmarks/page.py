"""The page of benchmarks, written from measurements."""

from collections.abc import Mapping
from typing import Any

from benchmarks.part import Part, Row, Table, Target


HEAD = """# Benchmarks

<!-- Written by `python -m benchmarks.run`: change that, not this. -->

How long rig takes, and how long its peers take for the same work, measured in turns in the
same run. Times are the best of several rounds; *median* is the median of the rounds, and
*core ms* adds up all cores, which other programs on the machine change least. In the column
*times ours*, more than 1 is slower than ours.

Two more commands check a refactoring, and write to no page:

- `python -m benchmarks.parity` proves for short runs of each kind that training computes the
  same numbers, bit for bit. Run
  `python -m benchmarks.parity record --src CHECKOUT/src --out FILE.json` for the code before
  and after, on the same machine with the same packages, then
  `python -m benchmarks.parity compare BEFORE.json AFTER.json`: it reports for each short run
  whether the policy, the replay buffer, the state, the metrics and the evaluation are equal.
- `python -m benchmarks.startup [--src CHECKOUT/src]` shows that the command line stays fast: it
  times `import rig`, `rig --help` and the `--help` of each command. Run it on an idle machine,
  for the code before and after.
  `--runs RUN BASE_RUN --base CHECKOUT/src` compares `reach`, `evaluate`, `imagine` and `doctor`
  on a run with those of another checkout. Against ad3f679, on an idle machine of two cores
  (AMD EPYC, five rounds, runs of 2,400 steps), they took 0.52, 0.68, 0.54 and 0.61 of the
  processor time, and 0.49, 0.67, 0.51 and 0.59 of the time. Half was asked for: only `reach`
  has it. What is left is to load JAX, Equinox and MuJoCo (1 s of 1 to 3), in `evaluate` to try
  100 goals, and in `doctor` to compile an update (4 s of 6).
"""
MAX_PLAIN = 1000
"""Larger numbers are written as integers, with commas."""


def page(machine: Mapping[str, str], parts: Mapping[str, Part]) -> str:
    """Return the page in Markdown."""
    targets = [target for part in parts.values() for target in part.targets]
    tables = [table for part in parts.values() for table in part.tables]
    facts = [{"": name, " ": value} for name, value in machine.items()]
    sections = [
        HEAD,
        section(Table(title="Targets", rows=[target_row(target) for target in targets])),
        section(Table(title="Machine", rows=facts)),
        *map(section, tables),
    ]
    return "\n".join(sections)


def target_row(target: Target) -> Row:
    """Return a target and its measurement as a row."""
    bound = "at least" if target.more_is_better else "at most"
    unit = f" {target.unit}".rstrip()
    measured = "–" if target.measured is None else show(target.measured) + unit
    return {
        "what": target.what,
        "target": f"{bound} {show(target.promised)}{unit}",
        "measured": measured,
        "": target.verdict,
    }


def section(table: Table) -> str:
    """Return a heading, a table and its notes."""
    notes = [f"{note}\n" for note in table.notes]
    return "\n".join([f"## {table.title}\n", *grid(table.rows), *notes])


def grid(rows: list[Row]) -> list[str]:
    """Return the lines of a Markdown table, with an empty line after it, if there are rows."""
    if not rows:
        return []
    columns = list(rows[0])
    rules = ["---" if isinstance(rows[0][name], str) else "---:" for name in columns]
    lines = [[show(row[name]) for name in columns] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rules, *lines)] + [""]


def show(value: Any) -> str:
    """Return three digits of a number, or all before the point; return text unchanged."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= MAX_PLAIN:
        return f"{value:,.0f}"
    return f"{value:.3g}"
