import sys
from types import ModuleType, SimpleNamespace

import pytest

from rig.cli.main import main
from rig.errors import ConfigError
from rig.presets import FAST
from rig.runs.run import Run
from rig.training import trackers
from rig.training.trackers import check_tracker, tracked


ROWS = [
    {"num_env_steps": 100, "wall_s": 1.5, "td3/critic_loss": 0.25},
    {"num_env_steps": 200, "eval/hand_distance_m": 0.5},
    {"num_env_steps": 300, "eval/hand_distance_m": 0.75},
]


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "run", FAST, {})


class FakeTracker:
    """A tracker that keeps its rows."""

    def __init__(self, _run):
        self.rows, self.is_closed = [], False

    def log(self, row):
        assert not self.is_closed
        self.rows.append(dict(row))

    def close(self):
        self.is_closed = True


@pytest.fixture
def opened(monkeypatch):
    """Every tracker opened in place of TensorBoard."""
    opened = []

    def open_tracker(run):
        opened.append(FakeTracker(run))
        return opened[-1]

    monkeypatch.setitem(trackers.TRACKERS, "tensorboard", open_tracker)
    return opened


def test_a_tracker_gets_what_the_run_writes_and_nothing_else(run, opened):
    with tracked(run, "tensorboard"):
        for row in ROWS:
            run.log(row)
    run.log({"num_env_steps": 400})
    assert opened[0].rows == ROWS
    assert opened[0].is_closed


def test_a_tracker_of_a_resumed_run_gets_all_rows(run, opened):
    run.log(ROWS[0])
    with tracked(run, "tensorboard"):
        run.log(ROWS[1])
        run.log(ROWS[2])
    assert opened[0].rows == ROWS


def test_a_tracker_is_closed_when_training_fails(run, opened):
    with pytest.raises(ZeroDivisionError), tracked(run, "tensorboard"):
        raise ZeroDivisionError
    assert opened[0].is_closed


def test_without_a_tracker_nothing_is_opened(run, opened):
    with tracked(run, None):
        run.log(ROWS[0])
    assert opened == []


def test_tensorboard_reads_back_what_was_logged(run):
    pytest.importorskip("tensorboard", reason="needs the extra `tensorboard`")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):
        with tracked(run, "tensorboard"):
            run.log(ROWS[1])
    events = EventAccumulator(str(run.directory / "tensorboard")).Reload()
    read = [(e.step, e.tensor_proto.float_val) for e in events.Tensors("eval/hand_distance_m")]
    assert read == [(200, [0.5]), (200, [0.5])]


def test_wandb_stays_offline_by_default(run, monkeypatch):
    asked, logged = [], []
    there = SimpleNamespace(log=logged.append, finish=lambda: logged.append("end"))
    there.define_metric = lambda name, step_metric: logged.append((name, step_metric))
    wandb = ModuleType("wandb")
    wandb.init = lambda **settings: asked.append(settings) or there
    wandb.Settings = lambda **settings: settings
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    with tracked(run, "wandb"):
        run.log(ROWS[0])
    assert (asked[0]["mode"], asked[0]["name"]) == ("offline", "run")
    assert asked[0]["config"]["td3"]["gamma"] == FAST.td3.gamma
    assert logged == [("*", "num_env_steps"), ROWS[0], "end"]


def test_a_tracker_that_is_missing_is_named_with_its_command(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(trackers, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"pip install 'imagined-goals\[wandb\]'"):
        check_tracker("wandb")
    out = tmp_path / "run"
    assert main(["train", "Reach", "--tracker", "tensorboard", "--out", str(out)]) == 2
    assert "--tracker tensorboard is not installed" in capsys.readouterr().err
    assert not out.exists()
