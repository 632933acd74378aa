"""A soak test: whether the memory and the open files of a long run of Reach stay flat.

::

    python -m benchmarks.soak --total-timesteps 1000000

The replay buffer is small and is overwritten many times; checkpoints, new priors and
evaluations are frequent. The first fifth of training is warm-up.
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
"""Number of parts of training; each is a line of the table."""


@dataclass
class Samples:
    """A progress display without output that counts memory and open files in each round."""

    rows: list[tuple[int, int, int]] = field(default_factory=list)
    """Steps, resident bytes, open descriptors."""
    is_training: bool = False

    def begin(self, phase: str, total: int) -> None:
        """Count in the training phase only."""
        self.is_training = phase == "train"

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """Keep the counts at the end of a round."""
        if self.is_training:
            self.rows.append((done, resident_bytes(), len(os.listdir("/proc/self/fd"))))

    def note(self, text: str) -> None:
        """Print a note."""
        print(text, file=sys.stderr)

    def __enter__(self) -> "Samples":
        """Return the samples; there is nothing to start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing; there is nothing to end."""


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def config_of(options: argparse.Namespace) -> Config:
    """Return the settings of the run."""
    preset = find_preset("fast", "Reach")
    return replace(
        preset,
        total_timesteps=options.total_timesteps,
        buffer_size=options.buffer_size,
        collect=CollectConfig(num_images=1000),
        vae=replace(preset.vae, num_fit_steps=100),
        td3=replace(preset.td3, utd_ratio=options.utd_ratio, learning_starts=0),
        evaluate=EvaluateConfig(every_steps=options.total_timesteps // 20, num_goals=10),
    )


def main(argv: Sequence[str]) -> int:
    """Train and print the counts; return 1 if memory grew or files stayed open."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--total-timesteps", type=int, default=100_000)
    parser.add_argument("--buffer-size", type=int, default=5000)
    parser.add_argument("--utd-ratio", type=float, default=0.1)
    config, samples = config_of(parser.parse_args(argv)), Samples()
    with tempfile.TemporaryDirectory() as scratch:
        train(config, Run.create(Path(scratch) / "run", config, {}), samples)
    return print_table(samples.rows)


def print_table(rows: Sequence[tuple[int, int, int]]) -> int:
    """Print the table and the verdict; return 1 if memory grew or files stayed open."""
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
