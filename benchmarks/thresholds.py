"""How far thresholds are from what is learned: ``python -m benchmarks.thresholds``.

Every test that compares a learned number with a threshold (the fixture ``measured``) runs for
ten seeds. The table shows the mean of each number, its standard deviation, its threshold, and
the distance of the threshold from the mean in standard deviations. Fewer than three is too
near: the test will fail for another seed or processor. Arguments are passed to pytest: a file,
or ``-m 'not slow or ci'``.
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
"""Prefix of the properties in which ``tests/conftest.py`` stores a number."""


class Seeds:
    """A pytest plugin that runs each test with ten seeds, and keeps its numbers."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
        """The value and its two thresholds, at every seed, by test and name."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrize a test with ten seeds, unless it has its own."""
        own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
        if {"measured", "seed"} <= set(metafunc.fixturenames) and "seed" not in own:
            metafunc.parametrize("seed", range(NUM_SEEDS))

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Keep only the tests that measure a number."""
        items[:] = [item for item in items if "measured" in item.fixturenames]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the numbers of a test, also of one that failed."""
        if report.when == "call":
            test = report.nodeid.split("[")[0].split("/")[-1]
            for name, numbers in report.user_properties:
                if name.startswith(MARK):
                    self.known[test, name.removeprefix(MARK)].append(numbers)


def margin(mean: float, std: float, above: float, below: float) -> float:
    """Compute the standard deviations between the mean and the nearer threshold."""
    return min(mean - above, below - mean) / max(std, sys.float_info.min)


def threshold(above: float, below: float) -> str:
    """Format one or both sides of a threshold."""
    sides = [("above", above), ("below", below)]
    return " and ".join(f"{word} {side:g}" for word, side in sides if np.isfinite(side))


def row(test: str, name: str, numbers: list[tuple[float, float, float]]) -> Row:
    """Return the statistics of a number over seeds."""
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
    """Print a row for every number; return 1 if a threshold is too near."""
    seeds = Seeds()
    pytest.main(["--tb=no", "-p", "no:cacheprovider", *argv], plugins=[seeds])
    rows = [row(*named, numbers) for named, numbers in seeds.known.items()]
    print(section(Table(title="Thresholds", rows=rows)))
    return int(any(row["stds off"] < LEAST_MARGIN for row in rows))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
