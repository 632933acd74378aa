"""Peers: other programs to compare with, each in its own process that measures on request.

A question is one line of JSON, and so is its answer. Between questions a peer waits, so that
our program and the peer can be measured in turns.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from benchmarks.measure import Spent


ROOT = Path(__file__).parent.parent
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
INSTALL = "python -m benchmarks.install"
"""The command that installs the peers that are Python packages."""
GL_BACKENDS = ("egl", "osmesa")


class MissingPeerError(Exception):
    """A peer does not run here; the page shows the message."""


class Peer:
    """A running peer, and the context that stops it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the peer, and read its description.

        Raises:
            MissingPeerError: It does not answer; the message is its last line of output.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        try:
            self.about = self._ask({"about": True})
        except MissingPeerError:
            self.close()
            raise

    def measure(self, question: Mapping[str, Any]) -> Spent:
        """Measure one round of what the question says."""
        answer = self._ask(question)
        return Spent(wall_s=answer["wall_s"], core_s=answer["core_s"])

    def close(self) -> None:
        """Stop the peer."""
        self._process.communicate()

    def __enter__(self) -> "Peer":
        """Return the peer, which runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the peer."""
        self.close()

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        try:
            write(self._process.stdin, question)
            line = self._process.stdout.readline() if self._process.stdout else ""
        except BrokenPipeError:
            line = ""
        if not line:
            raise MissingPeerError(self._last_error())
        return json.loads(line)

    def _last_error(self) -> str:
        """Return the last line that the peer wrote to standard error."""
        errors = self._process.stderr.read() if self._process.stderr else ""
        return (errors.strip().splitlines() or ["it gave no reason"])[-1]


def write(stream: TextIO | None, values: Mapping[str, Any]) -> None:
    """Write one line of JSON."""
    assert stream is not None
    stream.write(json.dumps(dict(values)) + "\n")
    stream.flush()


def open_renderer() -> Peer:
    """Start ``mujoco.Renderer`` with the first OpenGL backend that works without a display.

    Raises:
        MissingPeerError: No backend works.
    """
    command = [sys.executable, "-m", "benchmarks.peer_renderer"]
    reasons = []
    for backend in GL_BACKENDS:
        try:
            return Peer(command, {"MUJOCO_GL": backend, "PYOPENGL_PLATFORM": backend})
        except MissingPeerError as error:
            reasons.append(f"{backend}: {error}")
    raise MissingPeerError(
        "`mujoco.Renderer`: no OpenGL works here without a display "
        f"({'; '.join(reasons)}); on Debian: `apt-get install libegl1 libgl1-mesa-dri`."
    )


def open_sb3() -> Peer:
    """Start stable-baselines3 from the virtual environment of the benchmarks.

    Raises:
        MissingPeerError: It is not installed.
    """
    if not BENCH_PYTHON.exists():
        raise MissingPeerError(f"stable-baselines3 is not installed here: `{INSTALL}`.")
    try:
        return Peer([str(BENCH_PYTHON), "benchmarks/peer_sb3.py"], {})
    except MissingPeerError as error:
        raise MissingPeerError(
            f"stable-baselines3 does not run ({error}): `{INSTALL}`."
        ) from None
