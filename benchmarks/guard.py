"""Measure how late the guard's ticks are while a learner saturates every core.

``python -m benchmarks.guard [--seconds 60]`` serves ``sim:perfect`` on the real clock, arms it,
moves it at 10 Hz, and meanwhile updates TD3-sized networks without a pause in as many processes
as there are cores. The bar: 99 of 100 ticks less than 5 ms late.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import cpu_model
from rig.robots.client import RobotClient


FILE = Path(__file__).parent.parent / "examples" / "robots" / "perfect.toml"
BURN = """
import jax, jax.numpy as jnp
weights = jnp.ones((400, 400))
step = jax.jit(lambda w: jax.lax.fori_loop(0, 400, lambda _, x: jnp.tanh(x @ w) / 400, w))
while True:
    step(weights).block_until_ready()
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--idle", action="store_true", help="without the learner")
    parser.add_argument("--usual-priority", action="store_true", help="no real-time scheduling")
    options = parser.parse_args()
    num = 0 if options.idle else len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "robot.toml"
        file.write_text(f"{FILE.read_text()}\n[wire]\nport = 0\n")
        environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
        burners = [
            subprocess.Popen([sys.executable, "-c", BURN], env=environment) for _ in range(num)
        ]
        try:
            line = measure(file, options.seconds, options.usual_priority)
        finally:
            for burner in burners:
                burner.kill()
                burner.wait()
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    print(f"{cpu_model()}, {cores} cores, load {load:.1f}, {num} learners: {line}")


def measure(file: Path, seconds: float, is_usual: bool) -> str:
    """Run a server and a client for so long; return what the server says about its ticks."""
    rig = [sys.executable, "-m", "rig", "robot"]
    command = [*rig, "serve", str(file), *["--usual-priority"] * is_usual]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        lines = iter(server.stderr.readline, "")
        notes = []
        for line in lines:
            notes.append(line.strip())
            if "serving" in line:
                break
        with RobotClient.connect(notes[-1].split(" at ")[1].split()[0]) as robot:
            end_s = time.monotonic() + seconds
            subprocess.run([*rig, "arm", str(file)], check=True, capture_output=True)
            robot.wait_until_idle()
            robot.begin()
            number, held = 0, 0
            while time.monotonic() < end_s:
                number += 1
                state = robot.act([0.0, 0.5 * (-1) ** (number // 10), 0.0])
                held += state.mode == "HOLD"
        server.terminate()
        rest = [line.strip() for line in lines]
    has_priority = not (is_usual or any("no real-time" in note for note in notes))
    kind = "SCHED_FIFO" if has_priority else "usual priority"
    late = rest[-1].partition("pose; ")[2]
    return f"{kind}, {number} actions, {held} held, {late}"


if __name__ == "__main__":
    main()
