import resource
import subprocess
import sys
from collections import namedtuple
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from fakes import numbered_episodes

from rig.config import EvaluateConfig, OnlineConfig, RewardConfig
from rig.errors import RunError
from rig.presets import FAST
from rig.replay.buffer import ReplayBuffer
from rig.replay.memmap import advise_dontneed, memmap_array
from rig.runs.atomic_files import write_json
from rig.runs.run import Run
from rig.training import resources as room
from rig.training.buffer import add_to_replay, make_replay_buffer, sizes_of
from rig.training.make_envs import make_envs
from rig.training.malloc_trim import give_back
from rig.training.requirements import GB, Sizes, lies_in_a_file, memory_bytes, rows_filled
from rig.training.resources import check_resources, need_of


FRAME_BYTES = 48 * 48 * 3
SIZES = Sizes(num_steps=50, action_size=2, frame_bytes=FRAME_BYTES)
Disk = namedtuple("Disk", "free")


@pytest.fixture(scope="module")
def tiny(tiny):
    """Without fits to what replay holds, but with a reward that looks at its frames."""
    return replace(tiny, online=OnlineConfig(), reward=RewardConfig(kind="pixel"))


@pytest.fixture
def envs(tiny):
    envs = make_envs(tiny, 1)
    yield envs
    envs.close()


@pytest.fixture
def run(tmp_path, tiny):
    return Run.create(tmp_path / "run", replace(tiny, total_timesteps=10**9), {})


def test_frames_are_counted_as_they_are_kept(envs, tiny):
    assert sizes_of(envs) == SIZES
    assert rows_filled(replace(tiny, buffer_size=10**6, total_timesteps=900), SIZES) == 1020
    assert rows_filled(replace(tiny, buffer_size=100), SIZES) == 102


def test_runs_that_are_trained_together_remember_each_for_itself(tiny):
    large = replace(tiny, buffer_size=10**6, total_timesteps=10**7)
    one, three = (memory_bytes(large, SIZES, num) for num in (1, 3))
    row_bytes = FRAME_BYTES + 4 * (2 + 2 + 2)
    assert three - one == 2 * 10**6 * 51 / 50 * row_bytes


def test_replay_is_most_of_what_a_large_one_takes(envs, tiny):
    large = replace(tiny, buffer_size=10**7, total_timesteps=10**8)
    need = need_of(large, envs)
    assert need.memory == pytest.approx(10**7 * 51 / 50 * FRAME_BYTES, rel=0.03)
    assert need.disk == pytest.approx(10**7 * 51 / 50 * FRAME_BYTES, rel=0.03)


def test_frames_that_nothing_looks_at_again_are_no_need(envs, tiny):
    frugal = replace(tiny, buffer_size=10**7, total_timesteps=10**8, reward=RewardConfig())
    need = need_of(frugal, envs)
    assert need.memory == pytest.approx(GB + 10**7 * 51 / 50 * 4 * (2 + 2 + 2), rel=0.1)
    assert need.disk < 4 * 10**7 * 51 / 50 * 4 * (2 + 2 + 2)


def test_what_lies_in_a_file_takes_disk_in_place_of_memory(envs, tiny):
    large = replace(tiny, buffer_size=10**7, total_timesteps=10**8, buffer_memory_gb=1.0)
    need = need_of(large, envs)
    assert need.memory < 5 * GB
    assert need.disk == pytest.approx(2 * 10**7 * 51 / 50 * FRAME_BYTES, rel=0.03)


@pytest.mark.parametrize(
    ("memory_gb", "disk_gb", "message"),
    [
        (1.5, 99.0, r"takes about \d\.\d GB of memory, 1\.5 GB are free: lower --buffer-size"),
        (99.0, 0.5, r"takes about \d\.\d GB of disk, 0\.5 GB are free: lower --buffer-size"),
    ],
)
def test_too_little_room_is_refused_with_both_numbers(
    run, envs, monkeypatch, memory_gb, disk_gb, message
):
    large = replace(run.config, buffer_size=200_000)
    monkeypatch.setattr(room, "free_memory_bytes", lambda: memory_gb * GB)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: Disk(disk_gb * GB))
    with pytest.raises(RunError, match=message):
        check_resources(Run(run.directory, large), envs, print)


def test_room_that_is_nearly_all_used_is_worth_a_word(run, envs, monkeypatch):
    said = []
    monkeypatch.setattr(room, "free_memory_bytes", lambda: 2.0 * GB)
    check_resources(run, envs, said.append)
    assert len(said) == 1
    assert "GB of memory, 2.0 GB are free" in said[0]


PEAK = """
import resource, sys
from pathlib import Path
from dataclasses import replace
from rig.config import Config
from rig.settings import from_dict
from rig.runs.atomic_files import read_json
from rig.training.run_training import train_runs_together
from rig.training.progress import PlainProgress
from rig.runs.run import Run

place, num = Path(sys.argv[1]), int(sys.argv[2])
config = from_dict(Config, read_json(place / "config.json"))
configs = [replace(config, seed=seed) for seed in range(num)]
runs = {str(each.seed): Run.create(place / str(each.seed), each, {}) for each in configs}
ended = dict(train_runs_together(runs, {name: PlainProgress(print) for name in runs}))
assert all(run.is_finished for run in runs.values()), ended
print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""Trains so many seeds in a process of their own, and prints the most memory that it took."""


@pytest.mark.slow
@pytest.mark.parametrize("num_together", [1, 2])
@pytest.mark.parametrize(
    ("architecture", "reward"), [("patches", "sqrt_distance"), ("keypoints", "pixel")]
)
def test_a_run_takes_no_more_memory_than_is_said_and_not_much_less(
    tmp_path, architecture, reward, num_together
):
    config = short_but_large(architecture, reward)
    with closing(make_envs(config, 1)) as envs:
        told = memory_bytes(config, sizes_of(envs), num_together)
    write_json(tmp_path / "config.json", asdict(config))
    command = [sys.executable, "-c", PEAK, str(tmp_path), str(num_together)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 0.6 * told < int(done.stdout.splitlines()[-1]) < told


def short_but_large(architecture, reward):
    """Few steps with large pictures, and little learning."""
    return replace(
        FAST,
        image_size=84,
        total_timesteps=8000,
        reward=RewardConfig(kind=reward),
        vae=replace(FAST.vae, architecture=architecture, num_fit_steps=50),
        td3=replace(FAST.td3, utd_ratio=0.02, learning_starts=0),
        evaluate=EvaluateConfig(every_steps=10**9, num_goals=2),
    )


def test_memory_of_this_machine_is_known():
    assert room.free_memory_bytes() > 0.1 * GB


def test_mapped_array_holds_what_is_written_and_leaves_no_file(tmp_path):
    array = memmap_array(tmp_path, (5, 3), np.dtype(np.uint8))
    array[2] = 7
    assert array.sum() == 21
    assert list(tmp_path.iterdir()) == []


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_memory_of_a_mapped_array_is_given_back_and_its_numbers_stay(tmp_path):
    array = memmap_array(tmp_path, (50, 2**20), np.dtype(np.uint8))
    array[:] = np.arange(50, dtype=np.uint8)[:, None]
    before = resident_bytes()
    advise_dontneed(array)
    assert before - resident_bytes() > 0.9 * array.nbytes
    np.testing.assert_array_equal(array[:, -1], np.arange(50))


def test_an_array_in_memory_is_not_let_go():
    array = np.ones(3)
    advise_dontneed(array)
    np.testing.assert_array_equal(array, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_what_was_freed_is_given_back():
    """Blocks too small to be the system's own, with one kept behind them all."""
    blocks = [bytes(10**5) for _ in range(2000)]
    last = bytes(10**5)
    del blocks
    before = resident_bytes()
    give_back()
    assert before - resident_bytes() > 10**8
    assert len(last) == 10**5


def test_disk_too_small_for_a_mapped_array_is_noticed_at_once(tmp_path):
    with pytest.raises(OSError, match=r"No space left|too large"):
        memmap_array(tmp_path, (2**50,), np.dtype(np.uint8))


def test_frames_lie_in_a_file_beyond_the_bound(tmp_path, envs, tiny):
    bounded = replace(tiny, buffer_memory_gb=1e-6)
    assert lies_in_a_file(bounded, SIZES)
    assert not lies_in_a_file(replace(tiny, buffer_memory_gb=1.0), SIZES)
    assert not lies_in_a_file(tiny, SIZES)
    frames = make_replay_buffer(bounded, envs, tmp_path)._new_frames((2, 3), np.dtype(np.uint8))
    assert isinstance(frames, np.memmap)


@pytest.mark.parametrize(
    ("changes", "recalls"),
    [
        ({"reward": RewardConfig()}, False),
        ({"oracle": True, "reward": RewardConfig()}, False),
        ({"reward": RewardConfig(kind="pixel")}, True),
        ({"reward": RewardConfig(), "online": OnlineConfig(every_steps=1)}, True),
    ],
)
def test_frames_are_kept_where_something_looks_at_them_again(tiny, changes, recalls):
    replay, config = ReplayBuffer(10, 5), replace(tiny, **changes)
    add_to_replay(replay, numbered_episodes(0, 2, 5), config)
    assert config.reads_frames_again == recalls
    assert (replay.frames.nbytes > 0) == recalls


def test_a_replay_without_frames_recalls_the_same(tiny):
    sampled = []
    for kind in ("pixel", "latent"):
        replay = ReplayBuffer(10, 5)
        config = replace(tiny, reward=RewardConfig(kind=kind))
        add_to_replay(replay, numbered_episodes(0, 2, 5), config)
        sampled.append(replay.sample(20, rng=np.random.default_rng(0)))
    for name in ("latent", "action", "next_latent", "goal", "future_latent"):
        first, second = (getattr(each, name) for each in sampled)
        np.testing.assert_array_equal(first, second)
