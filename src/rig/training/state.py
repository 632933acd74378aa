"""All that a run is between two steps of the loop: what must survive, as one value.

Before the first fit a run has only looked around; after it, it practises. Nothing else has to
be kept: every round starts its noise anew and draws the worlds' seed from the run's generator,
and the recorder remembers nothing that ``metrics.jsonl`` does not say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from rig.agent.agent import Agent, agent_files, load_agent, whole
from rig.config import Config
from rig.errors import RunError
from rig.replay.buffer import ReplayBuffer
from rig.runs.array_files import Arrays, ArraySpec, array_bytes, load_arrays
from rig.runs.atomic_files import json_bytes, read_json
from rig.training.collect import Collected


Memory = Float64[np.ndarray, "N memory"]
"""All that decides how each world goes on, if the worlds can tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectState:
    """A run that has seen some images and has fitted nothing to them yet."""

    rng: np.random.Generator
    """Decides everything random from here on."""
    collected: Collected | None
    """What was seen; None at first."""
    env_states: Memory
    """Where the worlds are."""

    @property
    def num_images(self) -> int:
        """Images seen."""
        return 0 if self.collected is None else len(self.collected)

    @property
    def num_env_steps(self) -> int:
        """Environment steps count once they are remembered."""
        return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainState:
    """A run that sees, and learns to act."""

    rng: np.random.Generator
    """Decides everything random from here on."""
    policy: Agent
    """The latent space, the networks and their optimisers."""
    replay: ReplayBuffer
    """What it remembers. A round of practice changes it in place."""
    num_env_steps: int
    """Environment steps so far, those of looking around included."""
    num_rollbacks: int
    """How often it diverged and went back."""
    env_states: Memory
    """Where the worlds are."""
    coverage: Bool[np.ndarray, " cells"]
    """Where the witness saw objects so far: nothing learns from it."""


State = CollectState | TrainState


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFile:
    """A file with what is lasting of some rows of replay."""

    first: int
    """The first row, counted for ever."""
    end: int
    """The one after the last."""
    path: Path


def state_files(state: State) -> dict[str, bytes]:
    """The state as files, by name; without what is lasting of replay."""
    about: dict[str, Any] = {"generator": state.rng.bit_generator.state}
    about["num_env_steps"] = state.num_env_steps
    about["num_rollbacks"] = state.num_rollbacks if isinstance(state, TrainState) else 0
    files = {"worlds.safetensors": array_bytes({"memory": state.env_states})}
    if isinstance(state, TrainState):
        files |= agent_files(state.policy)
        files["replay.safetensors"] = array_bytes(state.replay.mutable_arrays())
        files["witness.safetensors"] = array_bytes({"visited": state.coverage})
    elif state.collected is not None:
        files["collected.safetensors"] = array_bytes(state.collected.arrays())
    return files | {"state.json": json_bytes(about)}


def load_state(
    directory: Path, rows: Sequence[RowFile], config: Config, replay: ReplayBuffer
) -> State:
    """The state that was taken apart.

    Args:
        directory: Where the files of :func:`state_files` are.
        rows: Where what is lasting of replay is, in order; none if nothing is remembered yet.
        config: The settings of the run.
        replay: A new one of the right size, which is filled.

    Raises:
        RunError: A file is damaged, or not of these settings.
    """
    about = read_json(directory / "state.json")
    rng = load_generator(about)
    env_states = load_arrays(directory / "worlds.safetensors", {"memory": MEMORY})["memory"]
    # Rows don't tell: images of states set by hand are fitted to, and none is remembered.
    if not (directory / "policy.json").is_file():
        collected = Collected(**load_arrays(directory / "collected.safetensors", COLLECTED))
        return CollectState(rng=rng, collected=collected, env_states=env_states)
    policy = load_agent(directory, config)
    load_replay(
        directory, rows, expected_mutable_arrays(policy.space.latent_dim, config), replay
    )
    coverage_metrics = load_arrays(directory / "witness.safetensors", {"visited": COVERAGE})
    return TrainState(
        rng=rng,
        policy=policy,
        replay=replay,
        num_env_steps=whole(about, "num_env_steps"),
        num_rollbacks=whole(about, "num_rollbacks"),
        env_states=env_states,
        coverage=coverage_metrics["visited"],
    )


def load_replay(
    directory: Path,
    rows: Sequence[RowFile],
    expected: Mapping[str, ArraySpec],
    replay: ReplayBuffer,
) -> None:
    """Fills a new replay with what was remembered.

    Args:
        directory: Where ``replay.safetensors`` is.
        rows: Where what is lasting is, in order; none if nothing is remembered yet.
        expected: What is to be in ``replay.safetensors`` if there are rows. Without any, it is
            what a new replay holds, which knows no sizes yet.
        replay: What is filled.

    Raises:
        RunError: A file is damaged, or not of these settings.
    """
    path = directory / "replay.safetensors"
    mutable_arrays = load_arrays(path, expected if rows else replay.mutable_arrays())
    num_added = rows[-1].end if rows else 0
    check_index(path, mutable_arrays, min(num_added, replay.num_rows))
    replay.restore(mutable_arrays, ((part.first, load_rows(part)) for part in rows))


def load_rows(part: RowFile) -> Arrays:
    """What is lasting of some rows.

    Raises:
        RunError: The file does not hold so many.
    """
    arrays = load_arrays(part.path, IMMUTABLE_ARRAYS)
    if {len(array) for array in arrays.values()} != {part.end - part.first}:
        raise RunError(f"{part.path} holds other rows than its name says; it is damaged")
    return arrays


def load_generator(about: Mapping[str, Any]) -> np.random.Generator:
    """The generator whose state the JSON holds.

    Raises:
        RunError: It holds no such state.
    """
    rng = np.random.default_rng(0)
    try:
        rng.bit_generator.state = about["generator"]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"state.json holds no random state: {error!r}; it is damaged") from error
    return rng


def check_index(path: Path, mutable_arrays: Arrays, num_held: int) -> None:
    """Raises RunError unless the index of episodes fits the rows that are there."""
    num_steps, first_row = mutable_arrays["num_steps"], mutable_arrays["first_row"]
    is_right = (
        len(num_steps) == len(first_row) == len(mutable_arrays["goals"])
        and len(mutable_arrays["latents"]) == len(mutable_arrays["log_stds"]) == num_held
        and num_steps.min(initial=1) >= 1
        and num_steps.max(initial=0) < max(num_held, 1)
        and first_row.min(initial=0) >= 0
    )
    if not is_right:
        raise RunError(f"{path}: its episodes don't fit its {num_held} rows; it is damaged")


MEMORY = ArraySpec((None, None), np.dtype(np.float64))
COVERAGE = ArraySpec((None,), np.dtype(bool))
COUNTS = ArraySpec((None,), np.dtype(np.int64))
ACTIONS = ArraySpec((None, None), np.dtype(np.float32))
IMMUTABLE_ARRAYS = {"frames": ArraySpec(None, None), "actions": ACTIONS}
COLLECTED = {"images": ArraySpec(None, None), "actions": ACTIONS, "num_steps": COUNTS}


def expected_mutable_arrays(latent_dim: int, config: Config) -> dict[str, ArraySpec]:
    """What is to be in ``replay.safetensors``: of latents that are pictures, only the goals."""
    floats, pixels = np.dtype(np.float32), np.dtype(np.uint8)
    dtype, kept = (pixels, 0) if config.is_end_to_end else (floats, latent_dim)
    return {
        "latents": ArraySpec((None, kept), dtype),
        "log_stds": ArraySpec((None, kept), floats),
        "goals": ArraySpec((None, latent_dim), dtype),
        **dict.fromkeys(("first_row", "num_steps"), COUNTS),
    }
