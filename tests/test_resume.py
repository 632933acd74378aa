"""A run that is stopped anywhere goes on to the same end."""

import errno
import json
import signal
from dataclasses import asdict, replace

import numpy as np
import pytest
from whole_runs import Signalling, files_of

from rig.config import CheckpointConfig, CollectConfig
from rig.errors import RunError, StoppedError
from rig.runs import atomic_files as durable
from rig.runs.run import Run
from rig.training import loop as train
from rig.training import run_training
from rig.training.run_training import resume_run, train_run


LONG = [pytest.mark.slow, pytest.mark.ci]


class PowerLossError(Exception):
    """The machine is gone: nothing of ours catches this."""


@pytest.fixture(scope="module")
def config(every_kind):
    return every_kind["latents"]


@pytest.fixture
def run(tmp_path, config):
    return Run.create(tmp_path / "run", config, {})


class Writes:
    """Counts what is written to the disk; one of them fails after half of its bytes."""

    def __init__(self, monkeypatch, failing, error):
        self.num, self.failing, self.error = 0, failing, error
        whole, log = durable.write_and_sync, Run.log
        monkeypatch.setattr(durable, "write_and_sync", self.counted(whole, half_a_file))
        monkeypatch.setattr(Run, "log", self.counted(log, half_a_line))

    def counted(self, write, write_half):
        def call(*arguments):
            self.num += 1
            if self.num == self.failing:
                write_half(*arguments)
                raise self.error
            write(*arguments)

        return call


def half_a_file(path, data):
    path.write_bytes(data[: len(data) // 2])


def half_a_line(run, _metrics):
    with (run.directory / "metrics.jsonl").open("a") as file:
        file.write('{"num_env_')


@pytest.fixture(scope="module")
def undisturbed(finished_run):
    return files_of(finished_run("latents"))


NUM_WRITES = 40
"""A run makes some more: losing power in any of them is tried."""


def test_run_leaves_no_checkpoint_behind(undisturbed):
    assert "fingerprint.json" in undisturbed
    assert not [name for name in undisturbed if name.startswith("checkpoints")]


FIRST_OF_MANY = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))]


@pytest.mark.parametrize("seed", FIRST_OF_MANY)
def test_power_lost_in_the_middle_of_a_write(run, undisturbed, seed, monkeypatch):
    failing = np.random.default_rng(seed).integers(1, NUM_WRITES + 1)
    with monkeypatch.context() as patch:
        Writes(patch, failing, PowerLossError())
        with pytest.raises(PowerLossError):
            train_run(run)
    resume_run(run.directory)
    assert files_of(run) == undisturbed


NUM_FAILURES = 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_writes_that_fail_at_random_are_named_and_lose_nothing(
    run, undisturbed, seed, monkeypatch
):
    # So early that none of the runs is done before its write fails.
    latest = NUM_WRITES // (NUM_FAILURES + 1)
    failing = np.random.default_rng(seed).integers(1, latest, size=NUM_FAILURES)
    for number in failing:
        with monkeypatch.context() as patch:
            Writes(patch, number, OSError(errno.ENOSPC, "No space left on device"))
            with pytest.raises(RunError) as caught:
                resume_run(run.directory)
        assert "No space left on device" in str(caught.value)
        assert f"rig train --resume {run.directory}" in str(caught.value)
    resume_run(run.directory)
    assert files_of(run) == undisturbed


def stopped(run, progress, monkeypatch):
    """Trains until a signal stops it; what was said."""
    monkeypatch.setattr(run_training, "open_progress", lambda: progress)
    with pytest.raises(StoppedError) as caught:
        train_run(run)
    monkeypatch.undo()
    return caught.value


@pytest.mark.parametrize(
    "kind",
    [
        "latents",
        pytest.param("things", marks=LONG),
        pytest.param("pixels", marks=LONG),
        pytest.param("hybrid", marks=LONG),
    ],
)
def test_run_that_was_stopped_in_practice_resumes_to_the_same_bytes(
    kind, every_kind, finished_run, tmp_path, monkeypatch
):
    run = Run.create(tmp_path / "run", every_kind[kind], {})
    stopped(run, Signalling(), monkeypatch)
    assert run.checkpoints.is_dir()
    resume_run(run.directory)
    assert files_of(run) == files_of(finished_run(kind))


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=LONG)],
)
def test_signal_in_practice_saves_the_round(run, undisturbed, monkeypatch, number, exit_code):
    run = replace_config(run, every_steps=10_000)
    error = stopped(run, Signalling(number, phase="train", done=200), monkeypatch)
    assert error.exit_code == exit_code
    assert f"resume with `rig train --resume {run.directory}`" in str(error)
    assert max(row["num_env_steps"] for row in run.metrics()) == 200
    resume_run(run.directory)
    settings = {"config.json": b"", "best/config.json": b""}  # it asked for fewer checkpoints
    assert files_of(run) | settings == undisturbed | settings


@pytest.mark.slow
def test_second_signal_stops_at_once_and_loses_no_more_than_the_round(
    run, undisturbed, monkeypatch
):
    twice = Signalling(signal.SIGINT, signal.SIGINT, phase="train", done=300)
    stopped(run, twice, monkeypatch)
    resume_run(run.directory)
    assert files_of(run) == undisturbed


@pytest.mark.slow
@pytest.mark.ci
def test_signal_during_the_fit_loses_no_more_than_the_fit(run, undisturbed, monkeypatch):
    stopped(run, Signalling(signal.SIGTERM, phase="fit", done=8), monkeypatch)
    assert [path.name for path in run.checkpoints.iterdir()] == ["000001"]
    resume_run(run.directory)
    assert files_of(run) == undisturbed


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"collect": CollectConfig(num_images=100, source="teleport")}, marks=LONG),
        {"buffer_size": 50},
    ],
    ids=["no step was taken to collect", "memory is smaller than what was collected"],
)
def test_run_that_was_stopped_after_its_fit_does_not_fit_again(
    tmp_path, config, changes, monkeypatch
):
    config = replace(config, **changes)
    runs = [Run.create(tmp_path / name, config, {}) for name in ("whole", "stopped")]
    train_run(runs[0])
    with monkeypatch.context() as patch:
        patch.setattr(train, "practise_episodes", power_lost)
        with pytest.raises(PowerLossError):
            train_run(runs[1])
    monkeypatch.setattr(train, "fit", power_lost)
    resume_run(runs[1].directory)
    assert files_of(runs[1]) == files_of(runs[0])


def power_lost(*_arguments, **_named):
    raise PowerLossError


def replace_config(run, **changes):
    """The run with other settings of its checkpoints, which change nothing that it learns."""
    config = replace(run.config, checkpoint=CheckpointConfig(**changes))
    (run.directory / "config.json").write_text(json.dumps(asdict(config)))
    return Run.open(run.directory)


def test_finished_run_is_not_trained_again(run):
    run.save_fingerprint({})
    with pytest.raises(RunError, match="is finished"):
        resume_run(run.directory)


def test_run_that_another_process_trains_is_left_alone(run):
    with run.lock(), pytest.raises(RunError, match="another process trains"):
        resume_run(run.directory)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["PushResetFree", "PushAny"])
def test_worlds_that_are_never_put_back_go_on_where_they_were(
    tmp_path, config, task, monkeypatch
):
    config = replace(config, task=task, total_timesteps=800)
    runs = [Run.create(tmp_path / name, config, {}) for name in ("whole", "stopped")]
    train_run(runs[0])
    stopped(runs[1], Signalling(signal.SIGTERM, phase="train", done=500), monkeypatch)
    resume_run(runs[1].directory)
    assert files_of(runs[1]) == files_of(runs[0])
