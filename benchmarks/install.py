"""Install the peers that are Python packages in ``.venv-bench``; needs the network."""

import subprocess
import sys
import venv

from benchmarks.peer import BENCH_PYTHON, ROOT


LOCK = ROOT / "requirements-bench.lock"


def main() -> None:
    """Create the virtual environment and install the packages."""
    directory = BENCH_PYTHON.parent.parent
    venv.create(directory, with_pip=True)
    (directory / ".gitignore").write_text("*\n")
    pip = [BENCH_PYTHON, "-m", "pip", "install", "--quiet", "--requirement", LOCK]
    sys.exit(subprocess.run(pip).returncode)


if __name__ == "__main__":
    main()
