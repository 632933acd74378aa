from dataclasses import replace

import numpy as np
import pytest
from fakes import GOAL, LATENT, numbered_episodes

from rig.config import GoalConfig, GoalMixture, TD3Config
from rig.replay.buffer import ReplayBuffer
from rig.replay.n_step import n_step_returns
from rig.replay.relabel import relabel


NUM = 6000
IMAGINED = 9000
ONLY = {
    "kept": GoalMixture(original=1.0, future=0.0, prior=0.0),
    "future": GoalMixture(original=0.0, future=1.0, prior=0.0),
    "imagined": GoalMixture(original=0.0, future=0.0, prior=1.0),
}


@pytest.fixture
def sampled(rng):
    replay = ReplayBuffer(100, 3)
    replay.add(numbered_episodes(0, 2, 3))
    return replay.sample(NUM, rng=rng)


@pytest.fixture
def imagined():
    """Goals with a number of their own in each row."""
    return IMAGINED + np.arange(NUM, dtype=np.float32)[:, None]


def way_to_go(sampled, goal):
    """A reward that tells whose latent and goal it was worked out from."""
    return goal[:, 0] - sampled.next_latent[:, 0]


@pytest.mark.parametrize("source", ONLY)
def test_one_source_alone_gives_its_goal_to_every_row(source, sampled, imagined, rng):
    batch = relabel(sampled, imagined, GoalConfig(mixture=ONLY[source]), way_to_go, rng=rng)
    goals = {"kept": sampled.goal, "future": sampled.future_latent, "imagined": imagined}
    np.testing.assert_array_equal(batch.goal, goals[source])


@pytest.mark.parametrize(
    "mixture", [GoalMixture(), GoalMixture(original=0.2, future=0.5, prior=0.3)]
)
def test_goals_come_in_the_shares_of_the_mixture(mixture, sampled, imagined, rng):
    goal = relabel(sampled, imagined, GoalConfig(mixture=mixture), way_to_go, rng=rng).goal
    shares = [
        np.isin(goal, ours).mean() for ours in (sampled.goal, sampled.future_latent, imagined)
    ]
    np.testing.assert_allclose(shares, mixture.shares, atol=0.03)


def test_imagined_goals_keep_their_rows(sampled, imagined, rng):
    batch = relabel(sampled, imagined, GoalConfig(mixture=GoalMixture()), way_to_go, rng=rng)
    is_imagined = batch.goal[:, 0] >= IMAGINED
    np.testing.assert_array_equal(batch.goal[is_imagined], imagined[is_imagined])


def test_reward_is_that_of_the_new_goal(sampled, imagined, rng):
    batch = relabel(sampled, imagined, GoalConfig(mixture=GoalMixture()), way_to_go, rng=rng)
    np.testing.assert_array_equal(batch.reward, batch.goal[:, 0] - sampled.next_latent[:, 0])
    assert len(set(batch.reward.tolist())) > 1000


def test_what_happened_stays_what_happened(sampled, imagined, rng):
    before = {name: getattr(sampled, name).copy() for name in ("goal", "future_latent")}
    batch = relabel(sampled, imagined, GoalConfig(mixture=GoalMixture()), way_to_go, rng=rng)
    for name in ("latent", "action", "next_latent"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(sampled, name))
    for name, array in before.items():
        np.testing.assert_array_equal(getattr(sampled, name), array)


def test_source_does_not_depend_on_what_happened(sampled, imagined, rng):
    goal = relabel(
        sampled, imagined, GoalConfig(mixture=GoalMixture()), way_to_go, rng=rng
    ).goal
    is_first_step = sampled.latent[:, 0] % 10 == LATENT % 10
    for part in (is_first_step, ~is_first_step):
        assert (goal[part] >= IMAGINED).mean() == pytest.approx(0.5, abs=0.04)
        assert (np.abs(goal[part] - GOAL) < 50).mean() == pytest.approx(0.1, abs=0.03)


def test_relabelling_twice_with_the_kept_goal_changes_nothing(sampled, imagined, rng):
    first = relabel(sampled, imagined, GoalConfig(mixture=ONLY["imagined"]), way_to_go, rng=rng)
    kept = replace(sampled, goal=first.goal)
    second = relabel(kept, imagined + 1, GoalConfig(mixture=ONLY["kept"]), way_to_go, rng=rng)
    np.testing.assert_array_equal(second.goal, first.goal)
    np.testing.assert_array_equal(second.reward, first.reward)


@pytest.fixture
def wide(sampled):
    """Transitions whose latents have three equal columns."""
    names = ("latent", "next_latent", "goal", "future_latent")
    return replace(sampled, **{name: three(getattr(sampled, name)) for name in names})


def three(column):
    return np.repeat(column, 3, axis=1)


def test_each_thing_has_a_source_of_its_own(wide, imagined, rng):
    """Each column is one thing."""
    parts = np.stack([np.diag(row) for row in np.eye(3, dtype=np.float32)])
    config = GoalConfig(source="composed", by_thing=0.5)
    batch = relabel(wide, three(imagined), config, way_to_go, parts, rng=rng)
    is_imagined = batch.goal >= IMAGINED
    np.testing.assert_array_equal(batch.goal[is_imagined], three(imagined)[is_imagined])
    share = config.mixture.prior
    is_split = is_imagined[:, 0] != is_imagined[:, 1]
    assert is_split.mean() == pytest.approx(0.5 * 2 * share * (1 - share), abs=0.03)
    assert is_imagined[:, 0].mean() == pytest.approx(share, abs=0.03)
    np.testing.assert_array_equal(batch.reward, way_to_go(wide, batch.goal))


def test_a_hand_and_one_object_have_one_source(wide, imagined, rng):
    parts = np.zeros((2, 3, 3), np.float32)
    parts[0, 0, 0] = parts[1, 1, 1] = parts[1, 2, 2] = 1
    config = GoalConfig(source="composed", by_thing=1.0)
    goal = relabel(wide, three(imagined), config, way_to_go, parts, rng=rng).goal
    np.testing.assert_array_equal(goal, three(goal[:, :1]))


def test_latents_that_are_not_taken_apart_have_one_source(wide, imagined, rng):
    config = GoalConfig(source="composed", by_thing=1.0)
    goal = relabel(wide, three(imagined), config, way_to_go, rng=rng).goal
    np.testing.assert_array_equal(goal, three(goal[:, :1]))


@pytest.mark.parametrize(("n_steps", "ahead"), [(1, (1, 1, 1)), (2, (2, 2, 1)), (5, (3, 2, 1))])
def test_rewards_of_several_steps_are_summed_until_the_episode_ends(n_steps, ahead, rng):
    """Of an episode of three steps; under a reward that is the number of the next latent."""
    replay = ReplayBuffer(100, 3)
    replay.add(numbered_episodes(0, 1, 3))
    sampled = replay.sample(50, rng=rng)

    def step_reached(sampled, goal):
        return sampled.next_latent[:, 0] - LATENT + goal[:, 0] - GOAL

    one_step = relabel(
        sampled, sampled.goal, GoalConfig(mixture=ONLY["kept"]), step_reached, rng=rng
    )
    config = TD3Config(gamma=0.5, n_steps=n_steps)
    batch, discount = n_step_returns(one_step, sampled, replay, config, step_reached)
    now = (sampled.latent[:, 0] - LATENT).astype(int)
    num = np.array(ahead)[now]
    rewards = [
        sum(0.5**k * (n + 1 + k) for k in range(m)) for n, m in zip(now, num, strict=True)
    ]
    np.testing.assert_allclose(batch.reward, rewards)
    np.testing.assert_array_equal(batch.next_latent[:, 0], LATENT + now + num)
    np.testing.assert_allclose(discount, 0.5**num)
    np.testing.assert_array_equal(batch.action, sampled.action)
