"""Every benchmark runs at its smallest size, and the operations counted by hand are right."""

from dataclasses import replace
from pkgutil import resolve_name

import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks import checkpoint, end_to_end, envs, floor, loop, update, vae
from benchmarks.page import page
from benchmarks.part import Part, Size, Target
from benchmarks.peer import MissingPeerError

from rig.config import GoalConfig, RewardConfig
from rig.replay.buffer import ReplayBuffer


SMALLEST = Size(
    num_rounds=1,
    num_long_rounds=1,
    num_images=2,
    num_renders=1,
    num_updates=2,
    num_fit_steps=2,
    num_loop_updates=1,
    env_counts=(2,),
    pixels=(48,),
    batch_sizes=(8,),
    presets=("fast",),
)


@pytest.fixture(autouse=True)
def small_and_alone(monkeypatch, tiny):
    """Tiny settings in place of presets, and no peer installed."""

    def missing():
        raise MissingPeerError("no peer in tests")

    quick = replace(tiny, td3=replace(tiny.td3, policy_delay=1))
    pictures = replace(
        quick,
        goals=GoalConfig(source="seen"),
        reward=RewardConfig(kind="pixel"),
        td3=replace(quick.td3, channels=(2, 3)),
    )
    monkeypatch.setattr(end_to_end, "find_preset", lambda _name, _task: pictures)
    for module in (checkpoint, floor, loop, update, vae):
        monkeypatch.setattr(module, "find_preset", lambda _name, _task: quick)
    monkeypatch.setattr(floor, "PEAK_SIDE", 8)
    monkeypatch.setattr(checkpoint, "NUM_FULL", 100)
    monkeypatch.setattr(checkpoint, "NUM_GATHERED", 10)
    monkeypatch.setattr(checkpoint, "speed", lambda _config: {"steps/s": 100.0})
    monkeypatch.setattr(vae, "NUM_BASIS_IMAGES", 32)
    monkeypatch.setattr(update, "open_sb3", missing)
    monkeypatch.setattr(envs, "open_renderer", missing)


SLOW_TO_COMPILE = pytest.param(end_to_end, marks=pytest.mark.slow)


@pytest.mark.parametrize("part", [checkpoint, SLOW_TO_COMPILE, floor, update, vae, envs])
def test_a_benchmark_gives_numbers_under_headings(part):
    result = part.run(SMALLEST)
    text = page({}, {"part": result})
    assert all(f"## {table.title}" in text for table in result.tables)
    assert "nan" not in text


@pytest.mark.parametrize("part", [update, envs])
def test_a_peer_that_is_missing_costs_one_line(part):
    notes = [note for table in part.run(SMALLEST).tables for note in table.notes]
    assert "no peer in tests" in notes


def test_parts_of_the_loop_are_shares_of_the_rounds_that_count():
    watch = loop.Watch()
    watch.marks = [(0.0, {}), (10.0, {loop.UPDATE: 5.0}), (20.0, {loop.UPDATE: 13.0})]
    shares = watch.shares()
    assert (shares[loop.UPDATE], shares[loop.REST]) == pytest.approx((0.65, 0.35))
    assert watch.rounds_s() == [10.0, 10.0]


def test_the_time_of_a_wrapped_function_counts_and_afterwards_it_is_as_before():
    watch, before = loop.Watch(), ReplayBuffer.add
    with loop.wrapped("rig.replay.buffer.ReplayBuffer.add", "store", watch):
        update.random_replay(2, rng=np.random.default_rng(0))
    assert watch.spent_s["store"] > 0
    assert ReplayBuffer.add is before


@pytest.mark.parametrize("name", list(loop.PARTS))
def test_what_the_loop_wraps_is_there(name):
    assert callable(resolve_name(name))


@pytest.mark.slow
def test_every_part_of_the_loop_takes_time(tiny):
    shares = loop.watched(loop.short(tiny, 1)).shares()
    assert min(shares.values()) >= 0
    assert all(shares[part] > 0 for part in loop.PARTS.values() if part != "fresh prior")


def test_a_target_that_is_missed_says_by_how_many_times():
    slow = Target(what="", promised=2, measured=5.0, unit="ms")
    fast = Target(what="", promised=100, measured=50.0, unit="/s", more_is_better=True)
    assert (slow.verdict, fast.verdict) == ("missed by 2.50 times", "missed by 2.00 times")
    assert replace(fast, measured=100.0).verdict == "met"
    assert "not measured" in page(
        {}, {"": Part(tables=[], targets=[replace(slow, measured=None)])}
    )


def test_operations_of_an_update_are_what_xla_counts_and_a_little_less(key):
    from rig.agent.td3 import Transitions, new_learner, update_many
    from rig.presets import PAPER

    config = replace(PAPER.td3, policy_delay=1)
    rows, actions = jnp.zeros((1, 1, 128, 4)), jnp.zeros((1, 1, 128, 2))
    batches = Transitions(rows, actions, rows, rows, rows[..., 0], rows[..., 0])
    learner = new_learner(4, 2, config, key=key)
    counted = update_many.lower(learner, batches, config, key=key).cost_analysis()["flops"]
    assert 1 <= counted / floor.update_flop(4, 2, config) <= 1.05


def test_operations_of_a_fit_are_those_of_what_learns():
    from rig.presets import FAST, PAPER

    latent, hidden, out = FAST.vae.latent_dim, FAST.vae.hidden_size, FAST.vae.num_components
    decoder = [(1, latent, hidden), (1, hidden, hidden), (1, hidden, out)]
    assert floor.vae_products(FAST.vae, 48) == decoder
    assert floor.vae_products(PAPER.vae, 48)[0] == (144, 48, 32)
