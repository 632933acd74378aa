"""Results of one part of the benchmarks: tables of numbers, and targets."""

from dataclasses import dataclass, field
from typing import Any


Row = dict[str, Any]
"""A number or a text for each column heading."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers under headings."""

    title: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    """Whole sentences under the table."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A limit that was set, and the number that was measured."""

    what: str
    promised: float
    measured: float | None
    """None if it could not be measured here."""
    unit: str
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        """Whether it is met, or by which factor it is missed."""
        if self.measured is None:
            return "not measured"
        times = self.measured / self.promised
        shortfall = 1 / times if self.more_is_better else times
        return "met" if shortfall <= 1 else f"missed by {shortfall:.2f} times"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part's results."""

    tables: list[Table]
    targets: list[Target] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    num_rounds: int
    """Rounds of a short measurement; the best counts."""
    num_long_rounds: int
    """Rounds of a long measurement."""
    num_images: int
    """Images, and steps, in a round; at least one of each environment."""
    num_renders: int
    """Images of ``mujoco.Renderer`` in a round."""
    num_updates: int
    """TD3 updates in a round."""
    num_fit_steps: int
    """Steps of the VAE's fit in a round."""
    num_loop_updates: int
    """Updates of the training loop that are measured, in whole rounds of training."""
    env_counts: tuple[int, ...] = (1, 16, 64)
    pixels: tuple[int, ...] = (48, 84)
    batch_sizes: tuple[int, ...] = (128, 256, 1024)
    presets: tuple[str, ...] = ("paper", "fast")

    def num_updates_of(self, batch_size: int) -> int:
        """Return the even number of updates in a round, for equal work at every batch size."""
        return 2 * max(1, self.num_updates * 64 // batch_size)


FULL = Size(
    num_rounds=30,
    num_long_rounds=10,
    num_images=128,
    num_renders=20,
    num_updates=100,
    num_fit_steps=50,
    num_loop_updates=8000,
)
QUICK = Size(
    num_rounds=10,
    num_long_rounds=3,
    num_images=64,
    num_renders=10,
    num_updates=40,
    num_fit_steps=20,
    num_loop_updates=1600,
)
