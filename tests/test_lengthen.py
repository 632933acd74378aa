"""More steps for a run that is finished or was stopped."""

import json
import shutil

import pytest
from whole_runs import Signalling

import rig
from rig.agent.agent import load_agent
from rig.cli.main import main
from rig.errors import ConfigError, RunError, StoppedError
from rig.runs.run import Run
from rig.training.run_training import resume_run, train_run


@pytest.fixture
def copy_of(finished_run, tmp_path):
    def copied(kind):
        return Run.open(shutil.copytree(finished_run(kind).directory, tmp_path / kind))

    return copied


@pytest.mark.parametrize(
    ("kind", "notices"),
    [
        ("latents", 1),
        pytest.param("hybrid", 0, marks=[pytest.mark.slow, pytest.mark.ci]),
    ],
)
def test_finished_run_is_lengthened(copy_of, capsys, kind, notices):
    run = copy_of(kind)
    shutil.rmtree(run.images)  # as archives and git leave out what is empty
    before, earlier = run.metrics(), run.config.total_timesteps
    longer = resume_run(run.directory, force=True, total_timesteps=earlier + 200)
    assert longer.is_finished
    assert longer.config.total_timesteps == earlier + 200
    assert longer.evaluation()["num_env_steps"] >= earlier + 200
    assert longer.metrics()[: len(before)] == before
    assert longer.origin()["earlier_total_timesteps"] == [earlier]
    assert capsys.readouterr().err.count("replay buffer was removed") == notices
    load_agent(longer.policy, longer.config)


@pytest.mark.slow
@pytest.mark.ci
def test_run_that_was_stopped_is_lengthened(every_kind, tmp_path):
    run = Run.create(tmp_path / "run", every_kind["latents"], {})
    with pytest.raises(StoppedError):
        train_run(run, progress=Signalling(done=200))
    with pytest.raises(RunError, match=r"rig train --resume .*run`, or use .*best"):
        rig.load(run.directory)
    rig.resume(run.directory, total_timesteps=400, progress="none")
    assert Run.open(run.directory).evaluation()["num_env_steps"] >= 400


def test_run_is_not_made_shorter(copy_of):
    run = copy_of("latents")
    num_done = max(row["num_env_steps"] for row in run.metrics())
    with pytest.raises(ConfigError, match="give --total-timesteps more than that"):
        resume_run(run.directory, total_timesteps=num_done)
    assert Run.open(run.directory).is_finished


def test_command_line_takes_the_steps_only_if_they_are_given(copy_of, monkeypatch, capsys):
    run, asked = copy_of("latents"), []
    monkeypatch.setattr(
        "rig.training.run_training.resume_run", lambda *_, **how: asked.append(how) or run
    )
    for words in ([], ["--total-timesteps", "9000"], ["--total_timesteps=9000"]):
        assert main(["train", "--resume", str(run.directory), "--json", *words]) == 0
        json.loads(capsys.readouterr().out)
    assert [how["total_timesteps"] for how in asked] == [None, 9000, 9000]


def test_finished_run_says_how_to_lengthen_it(copy_of):
    with pytest.raises(RunError, match=r"is finished .* give --total-timesteps"):
        resume_run(copy_of("latents").directory)
