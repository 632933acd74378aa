"""The state of a run between episodes: all that must survive a stop, as one value.

Before the first fit a run only collects; after it, it practises. Nothing else has to be saved:
each rollout resets its noise and draws the environments' seed from the run's generator, and the
recorder keeps nothing that is not in ``metrics.jsonl``. An external environment can't save its
state, so a run is saved only where all episodes are over and the next reset decides.

A round changes the replay buffer in place, so an old state is restored from disk only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from rig.agent.agent import Agent, agent_files, load_agent, read_count
from rig.config import Config, RewardConfig, RewardKind
from rig.errors import ConfigError, RunError
from rig.replay.buffer import ReplayBuffer
from rig.representation.representation import Representation
from rig.runs.array_files import Arrays, ArraySpec, array_bytes, load_arrays
from rig.runs.atomic_files import json_bytes, read_json
from rig.runs.manifest import RowFile
from rig.runs.old_names import find_file
from rig.training.practice_pictures import FILE as PICTURES_FILE
from rig.training.practice_pictures import PracticePictures, load_pictures
from rig.types import Collected


EnvStates = Float64[np.ndarray, "N state"]
"""The simulator state of each environment; no columns if the next reset decides everything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectState:
    """A run that has collected some images and fitted nothing yet."""

    rng: np.random.Generator
    """Decides everything random from here on."""
    collected: Collected | None
    """What was collected; None at first."""
    env_states: EnvStates
    """The state of the environments."""

    @property
    def num_images(self) -> int:
        """The number of images collected."""
        return 0 if self.collected is None else len(self.collected)

    @property
    def num_env_steps(self) -> int:
        """Environment steps count once they are in replay."""
        return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainState:
    """A run that practises and learns."""

    rng: np.random.Generator
    """Decides everything random from here on."""
    agent: Agent
    """The representation, the networks and their optimisers."""
    replay: ReplayBuffer
    """The replay buffer. A round changes it in place."""
    num_env_steps: int
    """Environment steps so far, collection included."""
    num_rollbacks: int
    """How often it diverged and rolled back."""
    reward_kind: RewardKind
    """The reward of the settings, or what ``auto`` chose."""
    env_states: EnvStates
    """The state of the environments."""
    coverage: Bool[np.ndarray, " cells"]
    """The cells that objects visited so far: nothing learns from it."""
    pictures: PracticePictures
    """A sample of what the camera saw so far: nothing learns from it."""


State = CollectState | TrainState


ENV_STATES_FILE = "env_states.safetensors"
COVERAGE_FILE = "coverage.safetensors"


def state_files(state: State) -> dict[str, bytes]:
    """Return the state as files by name, without the immutable arrays of replay."""
    about: dict[str, Any] = {"generator": state.rng.bit_generator.state}
    about["num_env_steps"] = state.num_env_steps
    about["num_rollbacks"] = state.num_rollbacks if isinstance(state, TrainState) else 0
    if isinstance(state, TrainState):
        about["reward_kind"] = state.reward_kind
    files = {ENV_STATES_FILE: array_bytes({"env_states": state.env_states})}
    if isinstance(state, TrainState):
        files |= agent_files(state.agent)
        files["replay.safetensors"] = array_bytes(state.replay.mutable_arrays())
        files[COVERAGE_FILE] = array_bytes({"coverage": state.coverage})
        files[PICTURES_FILE] = array_bytes(state.pictures.arrays())
    elif state.collected is not None:
        files["collected.safetensors"] = array_bytes(state.collected.arrays())
    return files | {"state.json": json_bytes(about)}


def load_state(
    directory: Path, rows: Sequence[RowFile], config: Config, replay: ReplayBuffer
) -> State:
    """Load the state that :func:`state_files` saved.

    Args:
        directory: Where the files of :func:`state_files` are.
        rows: The files of replay's immutable arrays, in order; none if it is empty.
        config: The settings of the run.
        replay: A new buffer of the right size, which is filled.

    Raises:
        RunError: A file is damaged, or not of these settings.
    """
    about = read_json(directory / "state.json")
    rng = load_generator(about)
    env_states = load_arrays(find_file(directory, ENV_STATES_FILE), {"env_states": ENV_STATES})[
        "env_states"
    ]
    # Not "if not rows": a run that collects by teleporting has a policy before it has rows.
    if not (directory / "policy.json").is_file():
        collected = Collected(**load_arrays(directory / "collected.safetensors", COLLECTED))
        return CollectState(rng=rng, collected=collected, env_states=env_states)
    agent = load_agent(directory, config)
    load_replay(directory, rows, expected_mutable_arrays(agent.representation), replay)
    arrays = load_arrays(find_file(directory, COVERAGE_FILE), {"coverage": COVERAGE})
    return TrainState(
        rng=rng,
        agent=agent,
        replay=replay,
        num_env_steps=read_count(about, "num_env_steps"),
        num_rollbacks=read_count(about, "num_rollbacks"),
        reward_kind=load_reward_kind(about, config.reward),
        env_states=env_states,
        coverage=arrays["coverage"],
        pictures=load_pictures(directory),
    )


def load_replay(
    directory: Path,
    rows: Sequence[RowFile],
    expected: Mapping[str, ArraySpec],
    replay: ReplayBuffer,
) -> None:
    """Fill a new buffer with what was saved.

    Args:
        directory: Where ``replay.safetensors`` is.
        rows: The files of immutable arrays, in order; none if it was empty.
        expected: The arrays of ``replay.safetensors`` if there are rows. Without any, they are
            those of a new buffer, which knows no sizes yet.
        replay: The buffer to fill.

    Raises:
        RunError: A file is damaged, or not of these settings.
    """
    path = directory / "replay.safetensors"
    mutable_arrays = load_arrays(path, expected if rows else replay.mutable_arrays())
    num_added = rows[-1].end if rows else 0
    check_index(path, mutable_arrays, min(num_added, replay.num_rows))
    replay.restore(mutable_arrays, ((part.first, load_rows(part)) for part in rows))


def load_rows(part: RowFile) -> Arrays:
    """Return the immutable arrays of some rows.

    Raises:
        RunError: The file does not hold that many.
    """
    arrays = load_arrays(part.path, IMMUTABLE_ARRAYS)
    if {len(array) for array in arrays.values()} != {part.end - part.first}:
        raise RunError(f"{part.path} holds other rows than its name says; it is damaged")
    return arrays


def load_reward_kind(about: Mapping[str, Any], reward: RewardConfig) -> RewardKind:
    """Return the kind of reward that the JSON holds; older states have that of the settings.

    Raises:
        RunError: It is not a kind, or ``auto``, which is none that learns.
    """
    try:
        chosen = replace(reward, kind=about.get("reward_kind", reward.kind))
    except ConfigError as error:
        raise RunError(f"state.json: {error}; it is damaged") from error
    if chosen.kind == "auto":
        raise RunError("state.json does not say which reward was chosen; it is damaged")
    return chosen.kind


def load_generator(about: Mapping[str, Any]) -> np.random.Generator:
    """Return the generator whose state the JSON holds.

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
    """Raise RunError unless the index of episodes fits the rows that are there."""
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


ENV_STATES = ArraySpec((None, None), np.dtype(np.float64))
COVERAGE = ArraySpec((None,), np.dtype(bool))
COUNTS = ArraySpec((None,), np.dtype(np.int64))
ACTIONS = ArraySpec((None, None), np.dtype(np.float32))
IMMUTABLE_ARRAYS = {"frames": ArraySpec(None, None), "actions": ACTIONS}
COLLECTED = {"images": ArraySpec(None, None), "actions": ACTIONS, "num_steps": COUNTS}


def expected_mutable_arrays(representation: Representation) -> dict[str, ArraySpec]:
    """Return the arrays of ``replay.safetensors``; latents that are images are not in it."""
    floats, dtype = np.dtype(np.float32), np.dtype(representation.latent_dtype)
    latent_dim = representation.latent_dim
    kept = 0 if dtype == np.uint8 else latent_dim
    return {
        "latents": ArraySpec((None, kept), dtype),
        "log_stds": ArraySpec((None, kept), floats),
        "goals": ArraySpec((None, latent_dim), dtype),
        **dict.fromkeys(("first_row", "num_steps"), COUNTS),
    }
