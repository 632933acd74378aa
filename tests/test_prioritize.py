"""Which episodes replay prefers: those in which a thing moved that seldom moves."""

import numpy as np
import pytest
from fakes import ACTION_SIZE

from rig.replay.buffer import ReplayBuffer
from rig.replay.prioritize import shares_of_change
from rig.training.learn import episode_shares
from rig.types import Encoding, Episodes


NUM_EPISODES, NUM_STEPS = 10, 6
PARTS = np.stack([np.diag(row) for row in np.eye(2, dtype=np.float32)])
"""The first latent is the hand, the second one a puck."""
PUSHED = 7
"""The episode in which the puck moves."""


def latents_of_episodes():
    """Return episodes in which the hand moves and comes back; in one, it moves the puck."""
    latent = np.zeros((NUM_EPISODES, NUM_STEPS + 1, 2), np.float32)
    latent[:, 1:-1, 0] = 3
    latent[PUSHED, 2:, 1] = 0.1
    return latent


@pytest.fixture
def replay():
    latent = latents_of_episodes().reshape(-1, 2)
    replay = ReplayBuffer(NUM_EPISODES * NUM_STEPS, NUM_STEPS)
    replay.add(
        Episodes(
            num_steps=np.full(NUM_EPISODES, NUM_STEPS),
            actions=np.zeros((NUM_EPISODES * NUM_STEPS, ACTION_SIZE), np.float32),
            frames=np.zeros((len(latent), 1, 1, 3), np.uint8),
            encoding=Encoding(latent=latent, log_std=np.zeros_like(latent)),
            goals=np.zeros((NUM_EPISODES, 2), np.float32),
        )
    )
    return replay


def test_each_thing_counts_alike(replay):
    """A tenth of the half that the hand has, and all of the puck's."""
    share = episode_shares(replay, PARTS, 1.0)
    expected = np.full(NUM_EPISODES, 0.05)
    expected[PUSHED] += 0.5
    np.testing.assert_allclose(share, expected, atol=1e-4)


def test_the_rest_is_drawn_uniformly(replay):
    all_of_it, half = (episode_shares(replay, PARTS, part) for part in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * all_of_it + 0.05)


@pytest.mark.parametrize(("parts", "prioritized"), [(None, 1.0), (PARTS[:1], 1.0), (PARTS, 0)])
def test_uniform_where_things_are_not_known_or_it_is_not_asked_for(replay, parts, prioritized):
    assert episode_shares(replay, parts, prioritized) is None


def test_where_nothing_moves_every_episode_is_drawn(replay):
    still = np.zeros((4, 2), np.float32)
    np.testing.assert_allclose(shares_of_change(still, (still,), PARTS), 0.25)


def test_what_moves_and_comes_back_has_moved():
    latent = latents_of_episodes()[:2]
    latent[1, :, 0] = 0
    share = shares_of_change(latent[:, 0], (latent[:, 2], latent[:, -1]), PARTS[:1])
    np.testing.assert_allclose(share, [1, 0], atol=1e-4)


@pytest.mark.parametrize("num", [3, 2000])
def test_the_shares_are_probabilities(num, rng):
    """At single precision, thousands of shares do not sum to 1 as NumPy wants them to."""
    first, later = rng.normal(size=(2, num, 2)).astype(np.float32)
    share = shares_of_change(first, (later,), PARTS)
    rng.choice(num, p=share)
    assert share.sum() == pytest.approx(1, abs=1e-12)
