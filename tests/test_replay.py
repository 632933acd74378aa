import numpy as np
import pytest
from fakes import ACTION, GOAL, LATENT, LOG_STD, numbered_episodes

from rig.errors import NotEnoughDataError
from rig.replay.buffer import ReplayBuffer
from rig.types import Encoding


NUM_STEPS = 3


@pytest.fixture
def replay():
    """Episodes 0 and 1, room for 4."""
    replay = ReplayBuffer(4 * NUM_STEPS, NUM_STEPS)
    replay.add(numbered_episodes(0, 2, NUM_STEPS))
    return replay


def episodes_in(replay, rng):
    return sorted({int(goal) for goal in (replay.sample(500, rng=rng).goal[:, 0] - GOAL) // 10})


def test_every_field_of_a_row_is_of_the_same_step(replay, rng):
    sampled = replay.sample(500, rng=rng)
    number = sampled.latent[:, 0] - LATENT
    np.testing.assert_array_equal(sampled.action, ACTION + np.stack([number] * 2, axis=1))
    np.testing.assert_array_equal(sampled.next_latent[:, 0], LATENT + number + 1)
    np.testing.assert_array_equal(sampled.next_log_std[:, 0], LOG_STD + number + 1)
    np.testing.assert_array_equal(sampled.goal[:, 0], GOAL + number // 10 * 10)
    np.testing.assert_array_equal(replay.frames[sampled.next_row].reshape(-1), number + 1)


def test_every_transition_is_recalled_as_often(replay, rng):
    steps, counts = np.unique(replay.sample(6000, rng=rng).latent - LATENT, return_counts=True)
    assert steps.tolist() == [0, 1, 2, 10, 11, 12]
    np.testing.assert_allclose(counts, 1000, rtol=0.15)


def test_future_is_every_later_step_of_the_same_episode(replay, rng):
    sampled = replay.sample(2000, rng=rng)
    pairs = np.stack([sampled.latent, sampled.future_latent], axis=-1)[:, 0] - LATENT
    later = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    expected = later + [(10 + now, 10 + then) for now, then in later]
    assert sorted({tuple(pair) for pair in pairs.astype(int).tolist()}) == expected


def test_each_later_step_is_as_likely(replay, rng):
    sampled = replay.sample(9000, rng=rng)
    is_first = sampled.latent[:, 0] == LATENT
    _, counts = np.unique(sampled.future_latent[is_first], return_counts=True)
    np.testing.assert_allclose(counts / is_first.sum(), 1 / 3, atol=0.05)


LENGTHS = np.array([1, 3, 2, 3])
"""Episodes 0 to 3 of their own lengths: rows 0 1, 2 3 4 5, 6 7 8, 9 10 11 12."""


@pytest.fixture
def ragged():
    """Those episodes; room for 16 rows."""
    replay = ReplayBuffer(4 * NUM_STEPS, NUM_STEPS)
    replay.add(numbered_episodes(0, 4, LENGTHS))
    return replay


def pairs_in(replay, rng):
    """Every pair of a step and a later one that is recalled, as the frames' numbers."""
    sampled = replay.sample(3000, rng=rng)
    pairs = np.stack([sampled.latent, sampled.future_latent], axis=-1)[:, 0] - LATENT
    return {tuple(pair) for pair in pairs.astype(int).tolist()}


def later_pairs(lengths):
    """What :func:`pairs_in` should find for episodes of these lengths, by number."""
    return {
        (10 * episode + now, 10 * episode + then)
        for episode, steps in lengths.items()
        for now in range(steps)
        for then in range(now + 1, steps + 1)
    }


def test_no_transition_goes_across_the_end_of_a_shorter_episode(ragged, rng):
    test_every_field_of_a_row_is_of_the_same_step(ragged, rng)
    assert pairs_in(ragged, rng) == later_pairs(dict(enumerate(LENGTHS)))


def test_transitions_of_short_and_long_episodes_are_recalled_as_often(ragged, rng):
    steps, counts = np.unique(ragged.sample(9000, rng=rng).latent - LATENT, return_counts=True)
    assert steps.tolist() == [0, 10, 11, 12, 20, 21, 30, 31, 32]
    np.testing.assert_allclose(counts, 1000, rtol=0.15)


def test_episodes_are_recalled_by_their_shares(ragged, rng):
    latent = ragged.sample(9000, np.array([0.5, 0, 0.5, 0]), rng=rng).latent - LATENT
    steps, counts = np.unique(latent, return_counts=True)
    assert steps.tolist() == [0, 20, 21]
    np.testing.assert_allclose(counts, [4500, 2250, 2250], rtol=0.1)


def test_latents_after_a_part_of_each_episode(ragged):
    """A step is not begun before it is due."""
    for part, step in ((0, [0, 0, 0, 0]), (0.5, [0, 1, 1, 1]), (1, LENGTHS)):
        latent = ragged.latents_after(part)[:, 0] - LATENT
        np.testing.assert_array_equal(latent, 10 * np.arange(4) + step)


def test_an_episode_that_loses_a_row_is_forgotten(ragged, rng):
    ragged.add(numbered_episodes(4, 1, 3))
    assert pairs_in(ragged, rng) == later_pairs({1: 3, 2: 2, 3: 3, 4: 3})
    assert (ragged.num_episodes, ragged.num_transitions) == (4, 11)
    ragged.add(numbered_episodes(5, 1, 2))
    assert pairs_in(ragged, rng) == later_pairs({2: 2, 3: 3, 4: 3, 5: 2})
    test_every_field_of_a_row_is_of_the_same_step(ragged, rng)


def test_rows_match_after_a_ring_of_all_lengths_has_turned(ragged, rng):
    for first in range(4, 24, 2):
        ragged.add(numbered_episodes(first, 2, rng.integers(1, NUM_STEPS + 1, 2)))
        test_every_field_of_a_row_is_of_the_same_step(ragged, rng)
    assert max(episodes_in(ragged, rng)) == 23


def test_reencoding_reaches_an_episode_that_wraps_around(ragged, rng):
    ragged.add(numbered_episodes(4, 1, 3))
    nothing = Encoding(
        latent=np.zeros((16, 1), np.float32), log_std=np.ones((16, 1), np.float32)
    )
    ragged.reencode(lambda frames: nothing, lambda goals: -goals)
    sampled = ragged.sample(100, rng=rng)
    assert not sampled.latent.any()
    assert not sampled.future_latent.any()
    assert (sampled.next_log_std == 1).all()
    assert sampled.goal.max() == -(GOAL + 10)


def test_counts_say_what_is_held(replay):
    assert (replay.num_episodes, replay.num_transitions) == (2, 6)
    assert len(replay.frames) == len(replay.latents) == 2 * (NUM_STEPS + 1)


def test_the_oldest_go_first(replay, rng):
    replay.add(numbered_episodes(2, 2, NUM_STEPS))
    assert episodes_in(replay, rng) == [0, 1, 2, 3]
    replay.add(numbered_episodes(4, 3, NUM_STEPS))
    assert episodes_in(replay, rng) == [3, 4, 5, 6]
    assert replay.num_episodes == 4


def test_more_episodes_than_fit_leave_the_last_ones(replay, rng):
    replay.add(numbered_episodes(2, 11, NUM_STEPS))
    assert episodes_in(replay, rng) == [9, 10, 11, 12]


def test_rows_match_after_the_ring_has_turned(replay, rng):
    replay.add(numbered_episodes(2, 5, NUM_STEPS))
    test_every_field_of_a_row_is_of_the_same_step(replay, rng)


def test_room_for_less_than_an_episode_holds_one(rng):
    replay = ReplayBuffer(1, NUM_STEPS)
    replay.add(numbered_episodes(0, 2, NUM_STEPS))
    assert episodes_in(replay, rng) == [1]


def test_memory_is_a_copy(replay, rng):
    episodes = numbered_episodes(2, 1, NUM_STEPS)
    replay.add(episodes)
    latent = episodes.encoding.latent
    for array in (
        episodes.num_steps,
        episodes.actions,
        episodes.frames,
        episodes.goals,
        latent,
    ):
        array[:] = 0
    test_every_field_of_a_row_is_of_the_same_step(replay, rng)


def test_empty_memory_says_what_to_do(rng):
    with pytest.raises(NotEnoughDataError, match="holds no episode"):
        ReplayBuffer(100, NUM_STEPS).sample(1, rng=rng)


def test_reencoding_moves_latents_spreads_and_goals(replay, rng):
    def encode(frames):
        number = frames.reshape(-1, 1).astype(np.float32)
        return Encoding(latent=7000 + number, log_std=8000 + number)

    replay.reencode(encode, lambda goals: goals + 5000)
    sampled = replay.sample(100, rng=rng)
    number = sampled.action[:, :1] - ACTION
    np.testing.assert_array_equal(sampled.latent, 7000 + number)
    np.testing.assert_array_equal(sampled.next_log_std, 8000 + number + 1)
    np.testing.assert_array_equal(sampled.goal, GOAL + 5000 + number // 10 * 10)
    assert sampled.future_latent.min() > 7000


def test_only_frames_that_are_held_are_reencoded(replay):
    shown = []

    def encode(frames):
        shown.extend(frames.reshape(-1).tolist())
        nothing = np.zeros((len(frames), 1), np.float32)
        return Encoding(latent=nothing, log_std=nothing)

    replay.reencode(encode, lambda goals: goals)
    assert shown == [0, 1, 2, 3, 10, 11, 12, 13]


def test_same_seed_recalls_the_same(replay):
    first, second = (replay.sample(50, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.latent, second.latent)
    np.testing.assert_array_equal(first.future_latent, second.future_latent)


def test_the_next_latent_some_steps_later_is_never_beyond_the_episodes_end(ragged, rng):
    sampled = ragged.sample(500, rng=rng)
    now = (sampled.latent[:, 0] - LATENT).astype(int)
    np.testing.assert_array_equal(sampled.num_left, LENGTHS[now // 10] - now % 10)
    for steps in range(4):
        later = ragged.later(sampled, steps)
        number = np.minimum(now + 1 + steps, now // 10 * 10 + LENGTHS[now // 10])
        np.testing.assert_array_equal(later.next_latent[:, 0], LATENT + number)
        np.testing.assert_array_equal(later.next_log_std[:, 0], LOG_STD + number)
        np.testing.assert_array_equal(ragged.frames[later.next_row].reshape(-1), number)
        np.testing.assert_array_equal(later.latent, sampled.latent)
    twice = ragged.later(ragged.later(sampled, 1), 1)
    np.testing.assert_array_equal(twice.next_row, ragged.later(sampled, 2).next_row)
