"""How far thresholds are from what is learned: ``python -m benchmarks.thresholds``.

Every test that holds a learned number against a threshold (the fixture ``measured``) is run for
ten seeds. Told is the mean of each number, its standard deviation, its threshold, and how many
standard deviations the threshold is from the mean. Fewer than three is too near: a seed or a
processor will come by that fails. What is given goes to pytest: a file, or ``-m 'not slow'``.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.page import section
from benchmarks.part import Row, Table


NUM_SEEDS = 10
LEAST_MARGIN = 3.0
"""Standard deviations between a mean and its threshold."""
MOST_SHOWN = 100.0
MARK = "measured: "
"""Begins the name of what ``tests/conftest.py`` keeps of a number."""


class Seeds:
    """A plugin of pytest: gives each test ten seeds, and keeps what it learns."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
        """The value and its two thresholds, at every seed, by test and name."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Gives ten seeds to a test that does not bring its own."""
        own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
        if {"measured", "seed"} <= set(metafunc.fixturenames) and "seed" not in own:
            metafunc.parametrize("seed", range(NUM_SEEDS))

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Leaves out what learns nothing."""
        items[:] = [item for item in items if "measured" in item.fixturenames]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps the numbers of a test, also of one that failed."""
        if report.when == "call":
            test = report.nodeid.split("[")[0].split("/")[-1]
            for name, numbers in report.user_properties:
                if name.startswith(MARK):
                    self.known[test, name.removeprefix(MARK)].append(numbers)


def margin(mean: float, std: float, above: float, below: float) -> float:
    """Standard deviations from the mean to the nearer threshold."""
    return min(mean - above, below - mean) / max(std, sys.float_info.min)


def threshold(above: float, below: float) -> str:
    """Both sides, where there are two, in words."""
    sides = [("above", above), ("below", below)]
    return " and ".join(f"{word} {side:g}" for word, side in sides if np.isfinite(side))


def row(test: str, name: str, numbers: list[tuple[float, float, float]]) -> Row:
    """What a test learned, over seeds."""
    values, (_, above, below) = np.array(numbers)[:, 0], numbers[0]
    mean, std = float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return {
        "test": test,
        "number": name,
        "seeds": len(values),
        "mean": mean,
        "std": std,
        "worst": float(values.min() if np.isfinite(above) else values.max()),
        "threshold": threshold(above, below),
        "stds off": min(margin(mean, std, above, below), MOST_SHOWN),
    }


def main(argv: Sequence[str]) -> int:
    """Prints a row for every number; 1 if a threshold is too near."""
    seeds = Seeds()
    pytest.main(["--tb=no", "-p", "no:cacheprovider", *argv], plugins=[seeds])
    rows = [row(*named, numbers) for named, numbers in seeds.known.items()]
    print(section(Table(title="Thresholds", rows=rows)))
    return int(any(row["stds off"] < LEAST_MARGIN for row in rows))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
