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
from rig.runs.array_files import array_bytes
from rig.runs.atomic_files import write_json
from rig.runs.checkpoint_store import NUM_KEPT
from rig.runs.run import Run
from rig.training import resources
from rig.training.buffer import make_replay_buffer
from rig.training.make_envs import make_envs
from rig.training.practice_pictures import NUM_PICTURES, PracticePictures
from rig.training.resources import (
    GB,
    PICTURE_COPIES,
    PROGRAM_BYTES,
    Sizes,
    check_resources,
    disk_bytes,
    malloc_trim,
    memory_bytes,
    sizes_of,
    warn_without_practice,
)


FRAME_BYTES = 48 * 48 * 3
ROW_BYTES = 4 * (2 + 2 + 2)
NUM_ROWS = 10**7 * 51 / 50
SIZES = Sizes(num_steps=50, action_size=2, frame_bytes=FRAME_BYTES)
PIXEL_REWARD = {"online": OnlineConfig(), "reward": RewardConfig(kind="pixel")}
Disk = namedtuple("Disk", "free")


@pytest.fixture(scope="module")
def large(tiny):
    """Ten million steps whose frames are kept, because the reward compares them."""
    return replace(tiny, **PIXEL_REWARD, buffer_size=10**7, total_timesteps=10**8)


@pytest.fixture(scope="module")
def envs(large):
    with closing(make_envs(large, 1)) as envs:
        yield envs


@pytest.fixture
def run(tmp_path, large):
    return Run.create(tmp_path / "run", replace(large, buffer_size=200_000), {})


def test_environments_give_the_sizes(envs):
    assert sizes_of(envs) == SIZES


def test_runs_trained_together_have_a_buffer_each(large):
    one, three = (memory_bytes(large, SIZES, num) for num in (1, 3))
    buffers = 2 * NUM_ROWS * (FRAME_BYTES + ROW_BYTES)
    assert three - one == pytest.approx(buffers, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "memory", "disk"),
    [
        ({}, NUM_ROWS * FRAME_BYTES, NUM_ROWS * FRAME_BYTES),
        (
            {"reward": RewardConfig()},
            PROGRAM_BYTES + NUM_ROWS * ROW_BYTES,
            3 * NUM_ROWS * ROW_BYTES,
        ),
        (
            {"buffer_memory_gb": 1.0},
            PROGRAM_BYTES + NUM_ROWS * ROW_BYTES,
            2 * NUM_ROWS * FRAME_BYTES,
        ),
    ],
    ids=["frames in memory", "no frames", "frames in a file"],
)
def test_a_large_buffer_is_most_of_what_a_run_needs(large, changes, memory, disk):
    config = replace(large, **changes)
    assert memory_bytes(config, SIZES) == pytest.approx(memory, rel=0.1)
    assert disk_bytes(config, SIZES) == pytest.approx(disk, rel=0.1)


@pytest.mark.parametrize("size", [48, 84])
def test_pictures_of_practice_count_in_each_checkpoint_and_in_memory(large, size):
    """A run that is given the true state keeps none, and is the same besides."""
    config = replace(large, image_size=size, reward=RewardConfig())
    blind = replace(config, oracle=True)
    sample = PracticePictures(np.zeros((NUM_PICTURES, size, size, 3), np.uint8), NUM_PICTURES)
    saved = len(array_bytes(sample.arrays()))
    on_disk = disk_bytes(config, SIZES) - disk_bytes(blind, SIZES)
    assert on_disk == pytest.approx((NUM_KEPT + 1) * saved, rel=0.001)
    in_memory = memory_bytes(config, SIZES) - memory_bytes(blind, SIZES)
    assert in_memory == pytest.approx(PICTURE_COPIES * saved, rel=0.001)


@pytest.mark.parametrize(
    ("memory_gb", "disk_gb", "message"),
    [
        (1.5, 99.0, r"needs about \d\.\d GB of memory, 1\.5 GB are free: lower --buffer-size"),
        (99.0, 0.5, r"needs about \d\.\d GB of disk, 0\.5 GB are free: lower --buffer-size"),
    ],
)
def test_a_run_that_does_not_fit_is_refused(
    run, envs, monkeypatch, memory_gb, disk_gb, message
):
    monkeypatch.setattr(resources, "free_memory_bytes", lambda: memory_gb * GB)
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: Disk(disk_gb * GB))
    with pytest.raises(RunError, match=message):
        check_resources(run, envs, print)


def test_a_run_that_barely_fits_is_warned_of(run, envs, monkeypatch):
    warnings = []
    need = memory_bytes(run.config, SIZES)
    monkeypatch.setattr(resources, "free_memory_bytes", lambda: 1.1 * need)
    check_resources(run, envs, warnings.append)
    (warning,) = warnings
    assert "GB of memory" in warning


def test_a_container_bounds_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "CGROUP", tmp_path)
    outside = resources.free_memory_bytes()
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert resources.free_memory_bytes() == 2_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert resources.free_memory_bytes() == pytest.approx(outside, rel=0.5)


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
"""Trains some seeds in a process of their own, and prints its peak memory in bytes."""


@pytest.mark.slow
@pytest.mark.parametrize("num_together", [1, 2])
@pytest.mark.parametrize(
    ("architecture", "reward"), [("patches", "sqrt_distance"), ("quantile_keypoints", "pixel")]
)
def test_a_run_needs_no_more_memory_than_predicted_and_not_much_less(
    tmp_path, architecture, reward, num_together
):
    config = short_but_large(architecture, reward)
    with closing(make_envs(config, 1)) as envs:
        predicted = memory_bytes(config, sizes_of(envs), num_together)
    write_json(tmp_path / "config.json", asdict(config))
    command = [sys.executable, "-c", PEAK, str(tmp_path), str(num_together)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert 0.6 * predicted < int(done.stdout.splitlines()[-1]) < predicted


def short_but_large(architecture, reward):
    """Few steps with large images, and little learning."""
    return replace(
        FAST,
        image_size=84,
        total_timesteps=8000,
        reward=RewardConfig(kind=reward),
        vae=replace(FAST.vae, architecture=architecture, num_fit_steps=50),
        td3=replace(FAST.td3, utd_ratio=0.02, learning_starts=0),
        evaluate=EvaluateConfig(every_steps=10**9, num_goals=2),
    )


def test_mapped_array_holds_what_is_written_and_leaves_no_file(tmp_path):
    array = memmap_array(tmp_path, (5, 3), np.dtype(np.uint8))
    array[2] = 7
    assert array.sum() == 21
    assert list(tmp_path.iterdir()) == []


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_memory_of_a_mapped_array_is_returned_and_its_numbers_stay(tmp_path):
    array = memmap_array(tmp_path, (50, 2**20), np.dtype(np.uint8))
    array[:] = np.arange(50, dtype=np.uint8)[:, None]
    before = resident_bytes()
    advise_dontneed(array)
    assert before - resident_bytes() > 0.9 * array.nbytes
    np.testing.assert_array_equal(array[:, -1], np.arange(50))


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_freed_memory_is_returned_to_the_system():
    """Blocks too small for mmap, with one still in use above them."""
    blocks = [bytes(10**5) for _ in range(2000)]
    last = bytes(10**5)
    del blocks
    before = resident_bytes()
    malloc_trim()
    assert before - resident_bytes() > 10**8
    assert len(last) == 10**5


def test_disk_too_small_for_a_mapped_array_is_noticed_at_once(tmp_path):
    with pytest.raises(OSError, match=r"No space left|too large"):
        memmap_array(tmp_path, (2**50,), np.dtype(np.uint8))


@pytest.mark.parametrize(("memory_gb", "is_mapped"), [(1e-6, True), (1.0, False), (0.0, False)])
def test_frames_are_in_a_file_beyond_the_bound(tmp_path, envs, tiny, memory_gb, is_mapped):
    config = replace(tiny, buffer_memory_gb=memory_gb)
    replay = make_replay_buffer(config, envs, tmp_path)
    replay.add(numbered_episodes(0, 2, 50))
    assert isinstance(replay.frames, np.memmap) == is_mapped


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        ({"reward": RewardConfig()}, False),
        ({"oracle": True, "reward": RewardConfig()}, False),
        ({"reward": RewardConfig(kind="pixel")}, True),
        ({"reward": RewardConfig(), "online": OnlineConfig(every_steps=1)}, True),
    ],
)
def test_frames_are_kept_where_something_needs_them_again(tiny, changes, is_kept):
    config = replace(tiny, **PIXEL_REWARD | changes)
    assert config.reads_frames_again == is_kept
    replay = ReplayBuffer(10, 5, keeps_frames=is_kept)
    replay.add(numbered_episodes(0, 2, 5))
    assert (replay.immutable_arrays(0, 12)["frames"].nbytes > 0) == is_kept


def test_a_buffer_without_frames_samples_the_same():
    sampled = []
    for keeps_frames in (True, False):
        replay = ReplayBuffer(10, 5, keeps_frames=keeps_frames)
        replay.add(numbered_episodes(0, 2, 5))
        sampled.append(replay.sample(20, rng=np.random.default_rng(0)))
    for name in ("latent", "action", "next_latent", "goal", "future_latent"):
        first, second = (getattr(each, name) for each in sampled)
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("total", "is_said"), [(100, True), (50, True), (101, False)])
def test_run_that_only_collects_says_so_with_both_numbers(tiny, total, is_said):
    said = []
    warn_without_practice(replace(tiny, total_timesteps=total), said.append)
    assert bool(said) == is_said
    assert all(f"100 of {total} steps" in line for line in said)


def test_collection_that_takes_no_steps_leaves_them_to_practice(tiny):
    said = []
    collect = replace(tiny.collect, source="teleport")
    warn_without_practice(replace(tiny, total_timesteps=50, collect=collect), said.append)
    assert said == []
