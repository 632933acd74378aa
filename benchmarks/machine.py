"""The machine and the software on it."""

import os
import platform
import shlex
from collections.abc import Sequence
from pathlib import Path

from rig.training.origin import commit, device, now, num_cores, versions


THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "XLA_FLAGS")
CPU_INFO = Path("/proc/cpuinfo")


def describe(argv: Sequence[str]) -> dict[str, str]:
    """Return what a measurement depends on, as far as it can be found out."""
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    threads = [f"{name}={os.environ[name]}" for name in THREAD_SETTINGS if name in os.environ]
    return {
        "command": shlex.join(["python", "-m", "benchmarks.run", *argv]),
        "date": now(),
        "commit": commit() or "unknown",
        "processor": cpu_model(),
        "cores": f"{num_cores()} that this process may use, of {os.cpu_count()}",
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": packages,
        "device of JAX": device(),
        "thread settings": ", ".join(threads) or "none: XLA and MuJoCo take all cores",
    }


def cpu_model() -> str:
    """Return the name of the processor."""
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def load_average() -> str:
    """Return the load average of the last minute, this process included."""
    return f"{os.getloadavg()[0]:.1f}"
