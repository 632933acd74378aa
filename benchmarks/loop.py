"""The training loop: steps per second, and where its time goes.

A short run of :func:`rig.training.loop.train` is timed from outside: functions are wrapped
while it runs, then restored. A run without wrapping comes first and gives the speed, because a
wrapped update waits for the device, so that nothing else runs meanwhile.
"""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from pkgutil import resolve_name
from statistics import mean, median
from time import perf_counter
from typing import Any
from unittest.mock import patch

import jax

from benchmarks.measure import MS_PER_S
from benchmarks.part import Part, Row, Size, Table, Target
from rig.agent import td3
from rig.config import CollectConfig, Config
from rig.envs.tasks import find_task
from rig.presets import find_preset
from rig.runs.run import Run
from rig.training.loop import train


TASK = "Push"
TARGET_SHARE = 0.15
NUM_FIT_STEPS = 50
NUM_WARM_ROUNDS = 1
"""Rounds that compile, and are not counted."""
ENVS, RESET, UPDATE = "physics and camera", "reset", "update"
PARTS = {
    "rig.envs.tabletop.Tabletop.step": ENVS,
    "rig.envs.tabletop_env.TabletopVectorEnv.reset": RESET,
    "rig.agent.td3.update_many": UPDATE,
    "rig.agent.agent.Agent.act": "encode and act",
    "rig.training.learn.draw": "draw and relabel",
    "rig.replay.buffer.ReplayBuffer.add": "store",
    "rig.representation.latent.LatentRepresentation.refresh_prior": "fresh prior",
}
"""The part that each function's time counts for. None of them calls another."""
INSIDE = (ENVS, RESET, UPDATE)
"""Parts that the target does not limit; it limits the sum of all others."""
REST = "everything else"
NOTE = (
    "Measured with a clock around each part, which waits for the device after every call. The "
    "first round compiles and does not count. Reset renders the start and the goal images."
)


@dataclass
class Watch:
    """A progress display without output that keeps the time of every round."""

    spent_s: Counter[str] = field(default_factory=Counter)
    """Seconds of each part, so far."""
    marks: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """The clock and the parts' times at the end of each round."""
    is_training: bool = False

    def begin(self, phase: str, total: int) -> None:
        """Keep times of the training phase only."""
        self.is_training = phase == "train"

    def advance(self, done: int, latest: Mapping[str, float]) -> None:
        """Keep the time at the end of a round."""
        if self.is_training:
            self.marks.append((perf_counter(), dict(self.spent_s)))

    def note(self, text: str) -> None:
        """Ignore notes."""

    def follow(self, status: Callable[[], str]) -> None:
        """Ignore what a robot does."""

    def __enter__(self) -> "Watch":
        """Return the watch; there is nothing to start."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing; there is nothing to end."""

    def rounds_s(self) -> list[float]:
        """Return the duration of each round that counts."""
        clocks = [clock for clock, _ in self.marks[NUM_WARM_ROUNDS - 1 :]]
        return [after - before for before, after in pairwise(clocks)]

    def shares(self) -> dict[str, float]:
        """Return each part's share of the rounds that count."""
        (start_s, before), (end_s, after) = self.marks[NUM_WARM_ROUNDS - 1], self.marks[-1]
        total_s = end_s - start_s
        shares = {
            part: (after.get(part, 0.0) - before.get(part, 0.0)) / total_s
            for part in PARTS.values()
        }
        return shares | {REST: 1 - sum(shares.values())}


def run(size: Size) -> Part:
    """Measure a short run of every preset."""
    speeds, shares, found = [], [], []
    for preset in size.presets:
        config = short(find_preset(preset, TASK), size.num_loop_updates)
        speeds.append({"preset": preset} | speed(config))
        watch = watched(config)
        shares += share_rows(preset, watch)
        found.append(target(preset, watch.shares()))
    return Part(
        tables=[
            Table(title="The training loop", rows=speeds),
            Table(title="Where its time goes", rows=shares, notes=[NOTE]),
        ],
        targets=found,
    )


def short(config: Config, num_updates: int) -> Config:
    """Return the settings with a short first collection and fit, and without evaluations."""
    num_new = config.num_envs * find_task(TASK).num_steps
    num_rounds = max(1, round(num_updates / (num_new * config.td3.utd_ratio)))
    return replace(
        config,
        total_timesteps=num_new * (1 + NUM_WARM_ROUNDS + num_rounds),
        collect=CollectConfig(num_images=num_new),
        vae=replace(config.vae, num_fit_steps=NUM_FIT_STEPS),
        td3=replace(config.td3, learning_starts=0),
        evaluate=replace(config.evaluate, every_steps=10**9, num_goals=1),
    )


def speed(config: Config) -> Row:
    """Measure the environment steps per second of a run without clocks around its parts."""
    watch = train_briefly(config)
    num_steps, rounds_s = config.num_envs * find_task(TASK).num_steps, watch.rounds_s()
    return {
        "pixels": config.image_size,
        "envs": config.num_envs,
        "updates a step": config.td3.utd_ratio,
        "steps/s": num_steps / min(rounds_s),
        "median steps/s": num_steps / median(rounds_s),
        "ms of a round": MS_PER_S * min(rounds_s),
    }


def watched(config: Config) -> Watch:
    """Return the times of a run with a clock around each part."""
    watch = Watch()
    with contextlib.ExitStack() as stack:
        for name, part in PARTS.items():
            stack.enter_context(wrapped(name, part, watch))
        train_briefly(config, watch)
    return watch


def train_briefly(config: Config, watch: Watch | None = None) -> Watch:
    """Train in a temporary directory; return the times."""
    watch = watch or Watch()
    with tempfile.TemporaryDirectory() as directory:
        run = Run.create(Path(directory), config, {})
        train(config, run, watch, update=td3.update_many)  # looked up now: it may be wrapped
    return watch


@contextlib.contextmanager
def wrapped(name: str, part: str, watch: Watch) -> Iterator[None]:
    """Add the time of the function of that name to the part, until the context ends."""
    owner, attribute = name.rsplit(".", 1)
    original = getattr(resolve_name(owner), attribute)
    with patch(name, clocked(original, part, watch)):
        yield


def clocked(function: Callable[..., Any], part: str, watch: Watch) -> Callable[..., Any]:
    """Return a function that waits for the device and adds its time to the part."""

    def call(*args: Any, **keywords: Any) -> Any:
        start_s = perf_counter()
        result = jax.block_until_ready(function(*args, **keywords))
        watch.spent_s[part] += perf_counter() - start_s
        return result

    return call


def share_rows(preset: str, watch: Watch) -> list[Row]:
    """Return one row for each part."""
    round_ms = MS_PER_S * mean(watch.rounds_s())
    return [
        {"preset": preset, "part": part, "ms of a round": share * round_ms}
        | {"share": f"{share:.1%}"}
        for part, share in watch.shares().items()
    ]


def target(preset: str, shares: dict[str, float]) -> Target:
    """Return the target for the time outside the parts that it does not limit."""
    return Target(
        what=f"time outside physics, camera and updates (`{preset}`)",
        promised=TARGET_SHARE,
        measured=sum(share for part, share in shares.items() if part not in INSIDE),
        unit="of a round",
    )
