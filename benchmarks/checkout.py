"""The code of one checkout, run in its own processes; finds where its command line is."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


COMMAND_LINES = ("rig.cli.main", "rig.lab.cli")
"""Modules whose ``main`` is the command line, the newest layout first."""
ONE_THREAD = {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
DESCRIBE = f"""
import importlib, json
from dataclasses import fields
import rig
from rig.config import Config
for name in {COMMAND_LINES}:
    try:
        importlib.import_module(name).main
    except ModuleNotFoundError as error:
        if not f"{{name}}.".startswith(f"{{error.name}}."):
            raise
    else:
        break
else:
    raise SystemExit("no command line among {", ".join(COMMAND_LINES)}")
settings = [entry.name for entry in fields(Config)]
print(json.dumps({{"package": rig.__file__, "command_line": name, "settings": settings}}))
"""
COMMAND = """
import sys
sys.path.append({extra!r})
from {module} import main
sys.exit(main(sys.argv[1:]))
"""
SHOWN_CHARACTERS = 2000


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A source directory, its command line and its settings."""

    src: Path
    command_line: str
    """The module whose ``main`` is the command line."""
    settings: frozenset[str]
    """The names of the settings of a run, without those of its sections."""

    @classmethod
    def at(cls, src: Path) -> "Checkout":
        """Return the checkout whose package is in a source directory.

        Raises:
            SystemExit: Python imports the package from elsewhere, or it has no command line.
        """
        src = src.resolve()
        found = json.loads(output([sys.executable, "-c", DESCRIBE], src))
        if not Path(found["package"]).is_relative_to(src):
            raise SystemExit(f"rig is imported from {found['package']}, not from {src}")
        settings = frozenset(found["settings"])
        return cls(src=src, command_line=found["command_line"], settings=settings)

    def command(self, arguments: Sequence[str], extra: Path | None = None) -> list[str]:
        """Return the command that runs its command line with some arguments.

        Args:
            arguments: As after ``rig``.
            extra: A directory that Python searches last for modules.
        """
        about = {"module": self.command_line, "extra": str(extra or self.src)}
        return [sys.executable, "-c", COMMAND.format(**about), *arguments]


def output(command: Sequence[str], src: Path, directory: Path | None = None) -> str:
    """Run a command with the code of a source directory, and return what it prints.

    Raises:
        SystemExit: It fails; the message is the end of what it printed.
    """
    done = subprocess.run(
        command,
        cwd=directory or src,
        env=os.environ | ONE_THREAD | {"PYTHONPATH": str(src)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        printed = (done.stdout + done.stderr)[-SHOWN_CHARACTERS:]
        raise SystemExit(f"exit code {done.returncode}:\n{printed}")
    return done.stdout
