"""Checkpoints: the share of training time that they take, and frames read from a file.

The state is as large as a run's: the replay buffer is full, and each checkpoint has as many new
rows as a run adds between two. A time ends when the data is on the disk.
"""

import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

import jax
import numpy as np

from benchmarks.loop import TASK, short, speed
from benchmarks.measure import MS_PER_S, alternate, spend
from benchmarks.part import Part, Row, Size, Table, Target
from rig.agent.agent import Agent
from rig.agent.td3 import new_learner
from rig.config import Config
from rig.presets import find_preset
from rig.replay.buffer import ReplayBuffer
from rig.replay.memmap import memmap_array
from rig.representation.latent import make_latent_representation
from rig.representation.vae import make_vae
from rig.runs.interrupt import uninterrupted
from rig.runs.run import Run
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.practice_pictures import NUM_PICTURES, PracticePictures
from rig.training.state import TrainState
from rig.types import Encoding, Episodes


PRESET = "fast"
NUM_STEPS = 50
ACTION_SIZE = 2
NUM_FULL = 50_000
"""Transitions in the replay buffer; more would only take longer to fill."""
TARGET_SHARE = 0.03
TARGET_SLOWER = 0.10
GATHERINGS = 10
"""Factor on the number of rounds, because each is short."""
NUM_GATHERED = 4096
"""Frames in a batch."""


def run(size: Size) -> Part:
    """Measure a checkpoint, the training loop around it, and batches of frames from a file."""
    config = replace(find_preset(PRESET, TASK), buffer_size=NUM_FULL)
    with tempfile.TemporaryDirectory() as scratch:
        saved = save_row(config, Path(scratch), size.num_long_rounds)
        gathered = gather_row(config, Path(scratch), GATHERINGS * size.num_rounds)
    steps_per_s = speed(short(config, size.num_loop_updates))["steps/s"]
    between_s = config.checkpoint.every_steps / steps_per_s
    share = saved["median ms"] / MS_PER_S / between_s
    saved |= {"s between two": between_s, "share": f"{share:.2%}"}
    return Part(
        tables=[
            Table(title="A checkpoint", rows=[saved]),
            Table(title="Batches of frames", rows=[gathered], notes=[NOTE]),
        ],
        targets=[
            Target(
                what="time that checkpoints take, every 5000 steps",
                promised=TARGET_SHARE,
                measured=share,
                unit="of the run",
            ),
            Target(
                what="extra time of frames from a file in the page cache, next to an array",
                promised=TARGET_SLOWER,
                measured=max(
                    0.0, gathered["from a file, ms"] / gathered["from memory, ms"] - 1
                ),
                unit="of the array's time",
            ),
        ],
    )


NOTE = "4096 frames at random, in turns from an array in memory and from a memory-mapped file."


def save_row(config: Config, scratch: Path, num_rounds: int) -> Row:
    """Measure saving a checkpoint; each has the rows of the steps between two."""
    run = Run.create(scratch / "run", config, {})
    state, rng = full_state(config), np.random.default_rng(0)
    new_replay = partial(new_buffer, config)
    checkpoints = CheckpointManager(run, uninterrupted(), new_replay, print)
    checkpoints.save(state)
    took_s = []
    for _ in range(num_rounds):
        state.replay.add(episodes(config, config.checkpoint.every_steps, rng=rng))
        start_s = perf_counter()
        checkpoints.save(state)
        took_s.append(perf_counter() - start_s)
    shutil.rmtree(run.directory)
    return {
        "preset": PRESET,
        "transitions held": state.replay.num_transitions,
        "new": config.checkpoint.every_steps,
        "best ms": MS_PER_S * min(took_s),
        "median ms": MS_PER_S * float(np.median(took_s)),
    }


def full_state(config: Config) -> TrainState:
    """Return a state as large as a run's, filled with noise."""
    rng, key = np.random.default_rng(0), jax.random.key(0)
    shape = (500, config.image_size, config.image_size, 3)
    images = rng.integers(256, size=shape, dtype=np.uint8)
    representation = make_latent_representation(
        make_vae(config.vae, images, key=key, rng=rng), images, "seen", -1, rng=rng
    )
    learner = new_learner(representation.latent_dim, ACTION_SIZE, config.td3, key=key)
    replay = new_buffer(config)
    while replay.num_transitions < config.buffer_size:
        replay.add(episodes(config, config.checkpoint.every_steps, rng=rng))
    return TrainState(
        rng=rng,
        agent=Agent(representation, learner),
        replay=replay,
        num_env_steps=config.buffer_size,
        num_rollbacks=0,
        reward_kind="latent",
        env_states=np.zeros((config.num_envs, 100)),
        coverage=np.zeros(0, bool),
        pictures=PracticePictures(
            np.zeros((NUM_PICTURES, *2 * (config.image_size,), 3), np.uint8), NUM_FULL
        ),
    )


def new_buffer(config: Config) -> ReplayBuffer:
    """Return an empty buffer that stores what the settings ask for."""
    return ReplayBuffer(config.buffer_size, NUM_STEPS, keeps_frames=config.reads_frames_again)


def episodes(config: Config, num_transitions: int, *, rng: np.random.Generator) -> Episodes:
    """Return episodes with that number of transitions, filled with noise."""
    num, size = num_transitions // NUM_STEPS, config.vae.latent_dim
    num_rows = num * (NUM_STEPS + 1)
    shape = (num_rows, config.image_size, config.image_size, 3)
    latents = rng.standard_normal((num_rows, size), np.float32)
    return Episodes(
        num_steps=np.full(num, NUM_STEPS),
        actions=rng.standard_normal((num_transitions, ACTION_SIZE), np.float32),
        frames=rng.integers(256, size=shape, dtype=np.uint8),
        encoding=Encoding(latent=latents, log_std=latents),
        goals=latents[:num],
    )


def gather_row(config: Config, scratch: Path, num_rounds: int) -> Row:
    """Measure batches of frames from an array in memory and from a memory-mapped file."""
    rng = np.random.default_rng(0)
    shape, dtype = (NUM_FULL, config.image_size, config.image_size, 3), np.dtype(np.uint8)
    arrays = {"memory": np.empty(shape, dtype), "a file": memmap_array(scratch, shape, dtype)}
    rows = rng.integers(NUM_FULL, size=NUM_GATHERED)
    for array in arrays.values():
        array[:] = 7
    timings = alternate(
        {
            name: partial(spend, partial(array.__getitem__, rows))
            for name, array in arrays.items()
        },
        num_rounds,
    )
    return {f"from {name}, ms": MS_PER_S * timing.best_s for name, timing in timings.items()}
