"""The baseline that sees pictures itself, on the same trainer as all else."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fakes import ACTION_SIZE

from rig.agent.agent import load_agent
from rig.cli.main import main
from rig.config import (
    Config,
    GoalConfig,
    GoalMixture,
    RewardConfig,
)
from rig.errors import ConfigError
from rig.inference.policy import Policy
from rig.presets import find_preset
from rig.replay.buffer import ReplayBuffer
from rig.replay.relabel import relabel
from rig.representation.pixels import PixelRepresentation
from rig.training.learn import make_reward
from rig.types import Episodes


NUM_STEPS = 3
SIDE = 2
HINDSIGHT = GoalMixture(original=0.2, future=0.8, prior=0.0)


@pytest.fixture(scope="module")
def config(every_kind):
    return every_kind["pixels"]


def numbered(number):
    """Pictures that show these numbers in every pixel."""
    return np.ones((1, SIDE, SIDE, 3), np.uint8) * np.reshape(number, (-1, 1, 1, 1)).astype(
        "u1"
    )


@pytest.fixture
def space():
    """Its goals are pictures of 200 to 204."""
    return PixelRepresentation(numbered(np.arange(200, 205)).reshape(5, -1))


def episodes_of(space, first, num):
    """Frames show ``10 * episode + step``, goals 100 + episode."""
    number = (10 * np.arange(first, first + num)[:, None] + np.arange(NUM_STEPS + 1)).ravel()
    return Episodes(
        num_steps=np.full(num, NUM_STEPS),
        actions=np.zeros((num * NUM_STEPS, ACTION_SIZE), np.float32),
        frames=numbered(number),
        encoding=space.encode(numbered(number)),
        goals=numbered(100 + np.arange(first, first + num)).reshape(num, -1),
    )


@pytest.fixture
def replay(space):
    """Episodes 0 to 3; room for as many."""
    replay = ReplayBuffer(4 * NUM_STEPS, NUM_STEPS)
    replay.add(episodes_of(space, 0, 4))
    return replay


def test_picture_is_its_own_latent(space):
    images = numbered([3, 7])
    encoding = space.encode(images)
    assert encoding.latent.tolist() == [[3] * 12, [7] * 12]
    assert encoding.log_std.shape == (2, 0)
    np.testing.assert_array_equal(space.decode(encoding.latent), images)
    assert (space.latent_dim, space.num_goals) == (12, 5)


def test_goals_are_pictures_that_were_seen(rng):
    space = PixelRepresentation.of_images(numbered(range(50)), rng=rng)
    assert set(space.imagine(400, rng=rng)[:, 0]) == set(range(50))


def test_distance_is_the_root_mean_square_of_pixels_in_0_to_1(space):
    black, grey, white = (space.encode(numbered(n)).latent for n in (0, 51, 255))
    np.testing.assert_allclose(space.distance(black, grey), 0.2, rtol=1e-6)
    np.testing.assert_allclose(space.distance(white, black), 1.0, rtol=1e-6)


def test_memory_keeps_each_picture_once(replay):
    assert np.shares_memory(replay.latents, replay.frames)
    assert (
        replay.mutable_arrays()["latents"].size == replay.mutable_arrays()["log_stds"].size == 0
    )


def test_every_picture_of_a_row_is_of_the_same_step(space, replay, rng):
    replay.add(episodes_of(space, 4, 2))  # the ring goes round
    sampled = replay.sample(300, rng=rng)
    number = sampled.latent[:, 0].astype(int)
    assert sampled.latent.dtype == sampled.goal.dtype == np.uint8
    assert set(number) == {10 * e + s for e in range(2, 6) for s in range(NUM_STEPS)}
    np.testing.assert_array_equal(sampled.next_latent[:, 0], number + 1)
    np.testing.assert_array_equal(sampled.goal[:, 0], 100 + number // 10)
    later = sampled.future_latent[:, 0].astype(int) - number
    assert (later >= 1).all()
    assert (number % 10 + later <= NUM_STEPS).all()


def test_memory_that_was_taken_apart_is_the_same_again(replay, rng):
    first, end = replay.rows_held
    again = ReplayBuffer(4 * NUM_STEPS, NUM_STEPS)
    again.restore(replay.mutable_arrays(), [(first, replay.immutable_arrays(first, end))])
    mine, others = (r.sample(50, rng=np.random.default_rng(1)) for r in (replay, again))
    for name in ("latent", "next_latent", "goal", "future_latent"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(others, name))


def test_rows_are_relabelled_with_pictures_and_rewarded_by_their_pixels(space, replay, rng):
    reward_of = make_reward(RewardConfig(kind="pixel_distance"), space, replay)
    imagined = space.imagine(600, rng=rng)
    batch = relabel(
        replay.sample(600, rng=rng), imagined, GoalConfig(mixture=HINDSIGHT), reward_of, rng=rng
    )
    assert batch.goal.shape == (600, 12)
    assert batch.goal.dtype == np.uint8
    shown, goal, reached = (
        rows[:, 0].astype(int) for rows in (batch.latent, batch.goal, batch.next_latent)
    )
    is_kept = goal >= 100
    assert is_kept.mean() == pytest.approx(0.2, abs=0.05)
    np.testing.assert_array_equal(goal[is_kept], 100 + shown[is_kept] // 10)
    assert (goal[~is_kept] // 10 == shown[~is_kept] // 10).all()
    assert (goal[~is_kept] > shown[~is_kept]).all()
    expected = -np.abs(goal - reached) / 255
    np.testing.assert_allclose(batch.reward, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"oracle": True}, "--oracle uses no images"),
        ({"goals": GoalConfig(source="fitted")}, "goals.source must be seen, got fitted"),
        (
            {"reward": RewardConfig(kind="sqrt_distance")},
            "pixel_distance or pixel_sparse, got sqrt_distance",
        ),
    ],
)
def test_settings_that_need_latents_are_refused(config, changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(config, **changes)


def test_preset_has_the_published_sizes_and_shares():
    preset = find_preset("her", "Push")
    assert preset.is_end_to_end
    assert (preset.buffer_size, preset.td3.hidden_sizes) == (10_000, (32, 32))
    assert preset.goals.mixture == HINDSIGHT
    assert not Config().is_end_to_end


@pytest.fixture(scope="module")
def finished(finished_run):
    return finished_run("pixels")


def test_trained_policy_is_evaluated_and_reaches_for_a_picture(finished, tmp_path, config):
    run, goal, grid = str(finished.directory), tmp_path / "goal.png", tmp_path / "grid.png"
    assert main(["evaluate", run, "--episodes", "2"]) == 0
    assert main(["look", "Reach", "--goal", "--out", str(goal)]) == 0
    assert main(["reach", run, "--goal", str(goal), "--json"]) == 0
    assert main(["imagine", run, "--num-goals", "8", "--out", str(grid)]) == 0
    assert grid.stat().st_size > 1000


def test_trained_policy_is_three_lines_away(finished):
    policy = Policy(finished.directory)
    image = np.zeros(policy.image_shape, np.uint8)
    action = policy.act(image, image + 200)
    assert action.shape == (2,)
    assert (np.abs(action) <= 1).all()


def test_practice_learned_and_drew_its_goals(finished, config):
    rows = finished.metrics()
    assert any("td3/critic_loss" in row for row in rows)
    assert not any(name.startswith(("vae/", "probe/")) for row in rows for name in row)
    assert list(finished.images.glob("imagined-*.png"))
    policy = load_agent(finished.policy, config)
    assert int(policy.learner.num_updates) > 0
    assert json.loads((finished.policy / "policy.json").read_text())["num_goals"] > 0
