"""What is saved comes back byte for byte, and what is damaged is named and passed over."""

import errno
import json
from dataclasses import replace

import jax
import numpy as np
import pytest
from fake_run import TINY, untrained_policy

from rig.errors import DivergedError, RunError
from rig.replay.buffer import ReplayBuffer
from rig.runs import atomic_files as durable
from rig.runs.interrupt import uninterrupted
from rig.runs.run import Run
from rig.training import checkpoint_manager as checkpoints
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.fingerprint import fingerprint
from rig.training.practice_pictures import PracticePictures
from rig.training.state import TrainState
from rig.types import Encoding, Episodes


NUM_STEPS = 4
CONFIG = replace(TINY, buffer_size=24)
"""Room for 30 rows: six episodes of five."""


@pytest.fixture(scope="module")
def policy():
    return untrained_policy(CONFIG)


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "run", CONFIG, {})


def new_replay():
    return ReplayBuffer(CONFIG.buffer_size, NUM_STEPS)


def new_checkpoint_manager(run, complaints):
    return CheckpointManager(run, uninterrupted(), new_replay, complaints.append)


def episodes(num, rng):
    rows = num * (NUM_STEPS + 1)
    latents = rng.standard_normal((2, rows, 2), np.float32)
    return Episodes(
        num_steps=np.full(num, NUM_STEPS),
        actions=rng.standard_normal((num * NUM_STEPS, 2), np.float32),
        frames=rng.integers(256, size=(rows, 4, 4, 3), dtype=np.uint8),
        encoding=Encoding(latent=latents[0], log_std=latents[1]),
        goals=rng.standard_normal((num, 2), np.float32),
    )


class Training:
    """A state that changes, and its keeper."""

    def __init__(self, run, policy):
        self.run, self.complaints = run, []
        self.checkpoints = new_checkpoint_manager(run, self.complaints)
        self.state = TrainState(
            rng=np.random.default_rng(3),
            agent=policy,
            replay=new_replay(),
            num_env_steps=0,
            num_rollbacks=0,
            reward_kind="sparse",
            env_states=np.arange(6.0).reshape(2, 3),
            coverage=np.array([True, False, True]),
            pictures=PracticePictures(np.full((2, 4, 4, 3), 7, np.uint8), 5),
        )

    def collect_rollouts(self, num_episodes=2):
        self.state.replay.add(episodes(num_episodes, self.state.rng))
        num = self.state.num_env_steps + num_episodes * NUM_STEPS
        self.state = replace(self.state, num_env_steps=num)
        self.run.log({"num_env_steps": num, "wall_s": 0.5})
        return self

    def save(self):
        self.checkpoints.save(self.state)
        return fingerprint(self.state, self.run)

    def restored(self):
        state = new_checkpoint_manager(self.run, self.complaints).restore()
        return state and fingerprint(state, self.run)


@pytest.fixture
def training(run, policy):
    return Training(run, policy)


@pytest.mark.parametrize("num_rounds", [1, 2, 3, 7])
def test_what_is_saved_comes_back_however_far_the_ring_has_gone_round(training, num_rounds):
    for _ in range(num_rounds):
        training.collect_rollouts()
        saved = training.save()
    assert training.restored() == saved
    assert training.complaints == []


def test_run_that_remembers_nothing_yet_comes_back_as_one_that_practises(training):
    """As after the first fit to pictures that no practice took."""
    saved = training.save()
    assert training.restored() == saved
    assert training.complaints == []
    state = new_checkpoint_manager(training.run, []).restore()
    state.replay.add(episodes(2, np.random.default_rng(8)))
    assert state.replay.num_transitions == 2 * NUM_STEPS


def test_run_that_diverges_before_its_first_round_is_over_goes_back(run, policy):
    config = replace(CONFIG, on_divergence="rollback")
    training = Training(Run(run.directory, config), policy)
    training.save()
    diverged = DivergedError("the critic exploded")
    before = training.checkpoints.roll_back(training.collect_rollouts().state, diverged)
    assert (before.num_rollbacks, before.num_env_steps) == (1, 0)
    assert before.replay.num_episodes == 0


def test_rounds_between_checkpoints_may_fill_the_ring_many_times(training):
    training.collect_rollouts().save()
    for _ in range(9):
        training.collect_rollouts()
    saved = training.save()
    assert training.restored() == saved


def test_restored_replay_goes_on_as_the_other_would(training, rng):
    training.collect_rollouts(5).save()
    other = new_checkpoint_manager(training.run, []).restore()
    for state in (training.state, other):
        state.replay.add(episodes(2, np.random.default_rng(8)))
    one, two = (
        s.replay.sample(50, rng=np.random.default_rng(5)) for s in (training.state, other)
    )
    for name in ("latent", "action", "future_latent", "goal", "next_log_std"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert training.state.rng.random() == other.rng.random()


def test_networks_come_back_with_their_optimisers(training, policy):
    training.collect_rollouts().save()
    other = new_checkpoint_manager(training.run, []).restore()
    jax.tree.map(np.testing.assert_array_equal, policy.learner, other.agent.learner)
    np.testing.assert_array_equal(other.env_states, training.state.env_states)
    np.testing.assert_array_equal(other.coverage, training.state.coverage)


def test_checkpoint_writes_only_the_rows_that_are_new(training):
    rows = training.run.checkpoints / "rows"
    training.collect_rollouts().save()
    before = {path.name: path.stat().st_mtime_ns for path in rows.iterdir()}
    training.collect_rollouts().save()
    after = {path.name: path.stat().st_mtime_ns for path in rows.iterdir()}
    assert list(before) == ["0000000-0000010.safetensors"]
    assert sorted(after) == ["0000000-0000010.safetensors", "0000010-0000020.safetensors"]
    assert before.items() <= after.items()


def test_many_rows_are_cut_into_files(training, monkeypatch):
    monkeypatch.setattr(checkpoints, "ROWS_PER_FILE", 7)
    saved = training.collect_rollouts().save()
    names = sorted(path.name[:15] for path in (training.run.checkpoints / "rows").iterdir())
    assert names == ["0000000-0000007", "0000007-0000010"]
    assert training.restored() == saved


def test_two_checkpoints_and_the_rows_they_need_are_kept(training):
    for _ in range(6):
        training.collect_rollouts().save()
    names = sorted(path.name for path in training.run.checkpoints.iterdir())
    assert names == ["000005", "000006", "rows"]
    rows = sorted(path.name[:15] for path in (training.run.checkpoints / "rows").iterdir())
    assert rows == ["0000020-0000030", "0000030-0000040", "0000040-0000050", "0000050-0000060"]


def test_metrics_after_the_checkpoint_are_cut(training):
    training.collect_rollouts().save()
    training.collect_rollouts()
    training.restored()
    assert training.run.metrics() == [{"num_env_steps": 8, "wall_s": 0.5}]


def test_run_without_a_checkpoint_begins_anew(training):
    training.collect_rollouts()
    assert training.restored() is None
    assert training.run.metrics() == []


def cut(path):
    data = path.read_bytes()
    path.write_bytes(data[: 2 * len(data) // 3])


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


DAMAGES = {"cut": cut, "flip": flip, "remove": lambda path: path.unlink()}
PARTS = (
    "000002/manifest.json",
    "000002/state.json",
    "000002/policy.safetensors",
    "000002/policy.json",
    "000002/replay.safetensors",
    "000002/env_states.safetensors",
    "000002/coverage.safetensors",
    "rows/0000010-0000020.safetensors",
)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("part", PARTS)
def test_damaged_checkpoint_is_named_and_the_one_before_it_is_used(training, part, damage):
    before = training.collect_rollouts().save()
    training.collect_rollouts().save()
    DAMAGES[damage](training.run.checkpoints / part)
    assert training.restored() == before
    assert len(training.complaints) == 1
    assert "checkpoint 2 can't be used" in training.complaints[0]
    assert part in training.complaints[0] or part == PARTS[0]


def test_changed_metrics_belong_to_no_checkpoint(training):
    before = training.collect_rollouts().save()
    training.collect_rollouts().save()
    path = training.run.directory / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1].replace("1", "2"))
    assert training.restored() == before


def test_no_whole_checkpoint_is_one_clear_line(training):
    training.collect_rollouts().save()
    cut(training.run.checkpoints / PARTS[-1].replace("0000010-0000020", "0000000-0000010"))
    with pytest.raises(RunError, match="has no intact checkpoint"):
        training.restored()
    assert "0000000-0000010" in training.complaints[0]


def test_after_damage_the_next_checkpoint_is_the_one_that_is_kept(training, policy):
    training.collect_rollouts().save()
    training.collect_rollouts().save()
    cut(training.run.checkpoints / PARTS[1])
    again = Training(training.run, policy)
    again.state = again.checkpoints.restore()
    saved = again.collect_rollouts().save()
    assert again.restored() == saved
    names = sorted(path.name for path in training.run.checkpoints.iterdir())
    assert names == ["000001", "000003", "rows"]


class FullDisk:
    """Takes so many writes, and then no more than half of one."""

    def __init__(self, monkeypatch, num):
        self.num, self.write = num, durable.write_and_sync
        monkeypatch.setattr(durable, "write_and_sync", self)

    def __call__(self, path, data):
        self.num -= 1
        if self.num < 0:
            path.write_bytes(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        self.write(path, data)


@pytest.mark.parametrize("num", range(7))
def test_disk_that_is_full_leaves_the_checkpoint_before(training, monkeypatch, num):
    before = training.collect_rollouts().save()
    training.collect_rollouts()
    with monkeypatch.context() as patch:
        FullDisk(patch, num)
        with pytest.raises(OSError, match="No space left"):
            training.save()
    assert training.restored() == before
    assert training.complaints == []
    assert not list(training.run.checkpoints.rglob("*.new"))


def test_checkpoint_that_lies_about_its_files_reads_none(training):
    training.collect_rollouts().save()
    path = training.run.checkpoints / "000001" / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in ("../secret.json", "/etc/passwd", "rows/../../config.json"):
        path.write_text(json.dumps(manifest | {"files": {name: {}}}))
        with pytest.raises(RunError):
            training.restored()
        assert "is not a file of a checkpoint" in training.complaints[-1]


def test_checkpoint_of_another_schema_is_refused(training):
    training.collect_rollouts().save()
    path = training.run.checkpoints / "000001" / "manifest.json"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2'))
    with pytest.raises(RunError):
        training.restored()
    assert "has schema 2, but this version of rig reads 1" in training.complaints[0]
