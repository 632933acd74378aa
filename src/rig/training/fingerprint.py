"""Hashes of a run's final state: two runs that ended with the same bytes have the same."""

import json
from hashlib import sha256
from itertools import chain

import numpy as np

from rig.agent.agent import agent_files
from rig.runs.run import Run
from rig.training.state import TrainState


ROWS_AT_ONCE = 10_000


def fingerprint(state: TrainState, run: Run) -> dict[str, str]:
    """Return the SHA-256 of each part of a run's state, and of its metrics."""
    generator = json.dumps(state.rng.bit_generator.state, sort_keys=True)
    return {
        "policy": sha256(agent_files(state.agent)["policy.safetensors"]).hexdigest(),
        "replay": replay_hash(state),
        "env_states": sha256(state.env_states.tobytes()).hexdigest(),
        "generator": sha256(generator.encode()).hexdigest(),
        "metrics": run.seal_metrics()["metrics_sha256"],
    }


def replay_hash(state: TrainState) -> str:
    """Return the hash of all that replay holds, however it was cut into files."""
    replay, digest = state.replay, sha256()
    first, end = replay.rows_held
    starts = range(first, end, ROWS_AT_ONCE)
    parts = (replay.immutable_arrays(start, min(start + ROWS_AT_ONCE, end)) for start in starts)
    for arrays in chain([replay.mutable_arrays()], parts):
        for array in arrays.values():
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
