"""A soak: whether a long run of Reach takes ever more memory, or leaves files open.

python -m benchmarks.soak --total-timesteps 1000000

Memory is small and goes round many times, and every part of the loop has its turn often:
checkpoints, fresh priors, evaluations. The first fifth of practice is warm-up.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rig.config import CollectConfig, Config, EvaluateConfig
from rig.presets import find_preset
from rig.runs.run import Run
from rig.training.loop import train


WARM_UP_SHARE = 0.2
TARGET_GROWTH = 0.02
MB = 1e6
TENTH = 10
"""Of practice: what a line of the table is about."""


@dataclass
class Samples:
    """A progress display that shows nothing, and counts memory and open files in each round."""

    rows: list[tuple[int, int, int]] = field(default_factory=list)
    """Steps, resident bytes, open descriptors."""
    is_practising: bool = False

    def begin(self, phase: str, total: int) -> None:
        """Practice is what is counted."""
        self.is_practising = phase == "train"

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """A round is over."""
        if self.is_practising:
            self.rows.append((done, resident_bytes(), len(os.listdir("/proc/self/fd"))))

    def note(self, text: str) -> None:
        """Says it."""
        print(text, file=sys.stderr)

    def __enter__(self) -> "Samples":
        """Nothing to start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


def resident_bytes() -> int:
    """Memory of this process that is in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def config_of(options: argparse.Namespace) -> Config:
    """The settings of the soak."""
    preset = find_preset("fast", "Reach")
    return replace(
        preset,
        total_timesteps=options.num_env_steps,
        buffer_size=options.buffer_size,
        collect=CollectConfig(num_images=1000),
        vae=replace(preset.vae, num_fit_steps=100),
        td3=replace(preset.td3, utd_ratio=options.utd_ratio, learning_starts=0),
        evaluate=EvaluateConfig(every_steps=options.num_env_steps // 20, num_goals=10),
    )


def main(argv: Sequence[str]) -> int:
    """Trains, prints what was counted, and whether it stayed flat; 1 if it did not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--total-timesteps", type=int, default=100_000)
    parser.add_argument("--buffer-size", type=int, default=5000)
    parser.add_argument("--utd-ratio", type=float, default=0.1)
    config, samples = config_of(parser.parse_args(argv)), Samples()
    with tempfile.TemporaryDirectory() as scratch:
        train(config, Run.create(Path(scratch) / "run", config, {}), samples)
    return tell(samples.rows)


def tell(rows: Sequence[tuple[int, int, int]]) -> int:
    """Prints the table and the verdict; 1 if memory grew or files stayed open."""
    steps, resident, files = np.array(rows).T
    for part in np.array_split(np.arange(len(rows)), TENTH):
        memory = np.median(resident[part]) / MB
        print(
            f"to step {steps[part[-1]]:>9,}: {memory:7.1f} MB, {files[part].max()} files open"
        )
    warm = np.flatnonzero(steps >= WARM_UP_SHARE * steps[-1])
    first, last = np.array_split(warm, 2)
    growth = np.median(resident[last]) / np.median(resident[first]) - 1
    leaked = files[last].max() - files[first].max()
    print(f"after warm-up: memory {growth:+.2%}, open files {leaked:+d}")
    return int(growth >= TARGET_GROWTH or leaked > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
