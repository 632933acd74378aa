"""Runs that earlier versions left are read by this one: ``tests/data`` holds one per schema."""

import json
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, load_file

import rig
from rig.agent.agent import agent_files
from rig.replay.buffer import ReplayBuffer
from rig.report.page import write_report
from rig.runs.interrupt import uninterrupted
from rig.runs.old_names import current_array_name
from rig.runs.run import Run
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.fingerprint import fingerprint


NUM_STEPS = 50
"""Of an episode of Reach."""
PACKED = sorted((Path(__file__).parent / "data").glob("run-schema-*.zip"))


@pytest.fixture(params=PACKED, ids=lambda path: path.stem)
def run(request, tmp_path):
    with zipfile.ZipFile(request.param) as pack:
        pack.extractall(tmp_path / "run")
    return Run.open(tmp_path / "run")


def test_there_is_one(run):
    assert run.is_finished


def test_its_metrics_and_its_evaluation_are_read(run, tmp_path):
    assert max(row["num_env_steps"] for row in run.metrics()) == 100
    assert "wall_s" in run.metrics()[0]
    write_report(tmp_path / "report.html", [run.directory])
    assert "Reach" in (tmp_path / "report.html").read_text()


def test_its_policy_acts(run, rng):
    images = rng.integers(256, size=(2, 48, 48, 3), dtype=np.uint8)
    action = rig.load(run.directory).act(*images)
    assert action.shape == (2,)
    assert (np.abs(action) <= 1).all()


def test_its_last_checkpoint_comes_back_byte_for_byte(run):
    complaints = []
    new_replay = partial(ReplayBuffer, run.config.buffer_size, NUM_STEPS)
    state = CheckpointManager(run, uninterrupted(), new_replay, complaints.append).restore()
    recorded = json.loads((run.directory / "fingerprint.json").read_text())
    found = fingerprint(state, run)
    assert complaints == []
    # More was measured at the end, and the agent's arrays have other names now.
    for part in ("metrics", "policy"):
        del found[part], recorded[part]
    assert found == recorded
    saved = load_file(run.policy / "policy.safetensors")
    arrays = load(agent_files(state.agent)["policy.safetensors"])
    assert {current_array_name(name) for name in saved} == set(arrays)
    for name, array in saved.items():
        np.testing.assert_array_equal(arrays[current_array_name(name)], array)
