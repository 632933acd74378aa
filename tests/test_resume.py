"""A run that is stopped anywhere goes on to the same end."""

import errno
import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from rig.config import CheckpointConfig
from rig.errors import RunError, StoppedError
from rig.lab import durable, measure
from rig.lab.errands import train_on, train_to_the_end
from rig.lab.interrupt import Interrupt
from rig.lab.keeper import Keeper
from rig.lab.progress import PlainProgress
from rig.lab.run import Run
from rig.lab.train import train


NOT_COMPARED = {"clock.jsonl", "origin.json"}


class PowerLossError(Exception):
    """The machine is gone: nothing of ours catches this."""


@pytest.fixture(scope="module", autouse=True)
def few_probes():
    """Most of a tiny run's time would go into pictures for the probe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "NUM_PROBE_STATES", 50)
        yield


@pytest.fixture(scope="module")
def config(tiny):
    """A checkpoint in every round; the memory is so small that its ring goes round."""
    return replace(tiny, replay_size=200, checkpoint=CheckpointConfig(every_steps=100))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, config):
    run = Run.create(tmp_path_factory.mktemp("runs") / "run", config, {})
    train_to_the_end(run)
    return everything(run)


@pytest.fixture
def run(tmp_path, config):
    return Run.create(tmp_path / "run", config, {})


def everything(run):
    """The bytes of every file that a run leaves, but for those that tell the time."""
    files = [path for path in run.directory.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(run.directory)): path.read_bytes()
        for path in files
        if path.name not in NOT_COMPARED
    }


def quiet():
    return PlainProgress(lambda _line: None)


class Writes:
    """Counts what is written to the disk; one of them fails after half of its bytes."""

    def __init__(self, monkeypatch, failing, error):
        self.num, self.failing, self.error = 0, failing, error
        whole, log = durable.write_durably, Run.log
        monkeypatch.setattr(durable, "write_durably", self.counted(whole, half_a_file))
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
def num_writes(undisturbed, tmp_path_factory, config):
    run = Run.create(tmp_path_factory.mktemp("counted") / "run", config, {})
    with pytest.MonkeyPatch.context() as patch:
        writes = Writes(patch, 0, None)
        train_to_the_end(run)
    assert everything(run) == undisturbed
    return writes.num


def test_run_leaves_no_checkpoint_behind(undisturbed):
    assert "fingerprint.json" in undisturbed
    assert not [name for name in undisturbed if name.startswith("checkpoints")]


@pytest.mark.parametrize("seed", range(4))
def test_power_lost_in_the_middle_of_a_write(run, undisturbed, num_writes, seed, monkeypatch):
    failing = np.random.default_rng(seed).integers(1, num_writes + 1)
    with monkeypatch.context() as patch, pytest.raises(PowerLossError):
        Writes(patch, failing, PowerLossError())
        train_to_the_end(run)
    train_on(run.directory)
    assert everything(run) == undisturbed
