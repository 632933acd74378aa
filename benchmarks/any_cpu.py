"""The tests as other CPUs would run them: ``python -m benchmarks.any_cpu``.

XLA compiles for three instruction sets, older ones than the CPU's own among them, on one thread
and on all. Each of the six settings runs the tests in a process of its own; the table counts
how many passed. Arguments are passed to pytest: a file, or ``-m 'not slow or ci'``, which is
the default. On a CPU without AVX-512 the last two settings are as AVX2.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from xml.etree import ElementTree

from benchmarks.page import section
from benchmarks.part import Row, Table


INSTRUCTION_SETS = {"SSE4_2": "Nehalem", "AVX2": "Haswell", "AVX512": "SkylakeX"}
"""XLA's name for each, and a CPU that had it first, for whose instructions NumPy's BLAS is
told to multiply."""
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
THREADS = {"one": ONE_THREAD, "all": ""}
DEFAULT = ("-m", "not slow or ci")
FAILED = ("FAILED", "ERROR")
"""The beginnings of pytest's lines about tests that did not pass."""


def main(asked: Sequence[str]) -> int:
    """Print a row for each setting; return 1 if any test failed."""
    rows = []
    for instruction_set in INSTRUCTION_SETS:
        for threads in THREADS:
            rows.append(row(instruction_set, threads, asked or DEFAULT))
            print(rows[-1], flush=True)
    print(section(Table(title="Tests on any CPU", rows=rows)))
    return int(any(row["failed"] or not row["passed"] for row in rows))


def row(instruction_set: str, threads: str, asked: Sequence[str]) -> Row:
    """Run the tests under one setting, print which fail, and count them."""
    settings = {
        "XLA_FLAGS": f"--xla_cpu_max_isa={instruction_set} {THREADS[threads]}",
        "OPENBLAS_CORETYPE": INSTRUCTION_SETS[instruction_set],
    }
    start_s = perf_counter()
    with TemporaryDirectory() as scratch:
        found = Path(scratch) / "found.xml"
        options = ("-p", "no:cacheprovider", "--tb=line", "-rfE", f"--junitxml={found}")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *asked],
            env=os.environ | settings,
            capture_output=True,
            text=True,
        )
        if not found.exists():
            raise SystemExit(done.stdout + done.stderr)
        counts = counts_of(ElementTree.parse(found).getroot())
    for line in done.stdout.splitlines():
        if line.startswith(FAILED):
            print(line, flush=True)
    setting = {"instruction set": instruction_set, "threads": threads}
    return setting | counts | {"minutes": (perf_counter() - start_s) / 60}


def counts_of(report: ElementTree.Element) -> dict[str, int]:
    """Return how many tests passed, failed and were skipped, from pytest's JUnit report."""
    suites = list(report.iter("testsuite"))
    names = ("tests", "failures", "errors", "skipped")
    tests, failures, errors, skipped = (sum(int(s.get(n, 0)) for s in suites) for n in names)
    failed = failures + errors
    return {"passed": tests - failed - skipped, "failed": failed, "skipped": skipped}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
