"""Runs that earlier versions left are read by this one: ``tests/data`` holds one per schema."""

import json
import zipfile
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, load_file

import rig
from rig.agent.agent import agent_files, load_agent
from rig.cli.main import main
from rig.replay.buffer import ReplayBuffer
from rig.report.page import write_report
from rig.runs.interrupt import uninterrupted
from rig.runs.old_names import current_array_name
from rig.runs.run import Run
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.evaluate import evaluation_goals, table, try_goals
from rig.training.fingerprint import fingerprint
from rig.training.make_envs import make_envs
from rig.training.run_training import resume_run


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
    recorded["env_states"] = recorded.pop("worlds")
    # More was measured at the end, and the agent's arrays have other names now.
    for part in ("metrics", "policy"):
        del found[part], recorded[part]
    assert found == recorded
    saved = load_file(run.policy / "policy.safetensors")
    arrays = load(agent_files(state.agent)["policy.safetensors"])
    assert {current_array_name(name) for name in saved} == set(arrays)
    for name, array in saved.items():
        np.testing.assert_array_equal(arrays[current_array_name(name)], array)


BEFORE_RENAMING = Path(__file__).parent / "data"
"""Runs written at ad3f679, before settings, arrays and files were renamed."""


def unpacked(name, directory):
    with zipfile.ZipFile(BEFORE_RENAMING / f"{name}-ad3f679.zip") as pack:
        pack.extractall(directory)
    return Run.open(directory)


def expected(name):
    """What evaluation reported at ad3f679, once the run was finished."""
    results = json.loads((BEFORE_RENAMING / "expected-ad3f679.json").read_text())
    return results[name]["evaluated"]["distances"]["hand_m"]


def distances_of(run):
    """Evaluate a run on the first goals of its set."""
    agent = load_agent(run.policy, run.config)
    with closing(make_envs(run.config, NUM_GOALS)) as envs:
        goals = evaluation_goals(envs, NUM_GOALS, run.config.evaluate.goals)
        trial = try_goals(agent, envs, goals)
    return table(run.config, trial, 0)["distances"]["hand_m"]


NUM_GOALS = 20


@pytest.mark.parametrize("name", ["finished", "export"])
def test_run_with_old_names_is_evaluated_as_it_was(name, tmp_path):
    run = unpacked(name, tmp_path / "run")
    assert distances_of(run) == pytest.approx(expected("finished"), rel=1e-3)
    assert run.config.td3.utd_ratio == 0.5
    assert run.config.num_envs == 1


@pytest.mark.slow
@pytest.mark.ci
def test_run_with_old_names_that_was_stopped_resumes_to_the_same_end(tmp_path):
    run = unpacked("stopped", tmp_path / "run")
    resume_run(run.directory, force=True)
    assert run.evaluation()["distances"]["hand_m"] == pytest.approx(
        expected("stopped"), rel=0.02
    )


@pytest.mark.parametrize(
    "words", ["evaluate RUN", "report RUN --out x.html", "train --resume RUN"]
)
def test_run_whose_way_of_seeing_is_gone_says_so_in_one_line(words, tmp_path, capsys):
    run = unpacked("finished", tmp_path / "run")
    path = run.directory / "config.json"
    config = json.loads(path.read_text())
    config["vae"]["architecture"] = "keypoints"
    path.write_text(json.dumps(config))
    assert main(words.replace("RUN", str(run.directory)).split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert 'this run sees by "keypoints", which rig no longer has' in line
    assert "install the version that wrote it" in line
