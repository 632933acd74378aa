"""``reward.kind auto``: which reward suits what was collected."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import Things

from rig.config import Config, GoalConfig, RewardConfig, TD3Config
from rig.errors import ConfigError, RunError
from rig.representation.pixels import PixelRepresentation
from rig.runs.reward_choice import MIN_NEAR_SHARE, NEAR_SHARE, NUM_REWARDS, chosen_before
from rig.training.choose_reward import NUM_SEEN, choose_reward, near_share
from rig.training.recorder import Recorder
from rig.training.state import load_reward_kind
from rig.types import Encoding, Episodes


AUTO = Config(reward=RewardConfig(kind="auto"), goals=GoalConfig(source="seen"))


def seen(latents, num_episodes):
    """Return episodes of equal length with these latents, each of deviation 0.1."""
    rng = np.random.default_rng(0)
    num_steps = np.full(num_episodes, len(latents) // max(num_episodes, 1) - 1)
    return Episodes(
        num_steps=num_steps,
        actions=np.zeros((num_steps.sum(), 2), np.float32),
        frames=np.zeros((len(latents), 4, 4, 3), np.uint8),
        encoding=Encoding(
            latent=latents.astype(np.float32),
            log_std=np.full(latents.shape, np.log(0.1), np.float32),
        ),
        goals=rng.standard_normal((num_episodes, latents.shape[1]), np.float32),
    )


def share(latents, num_episodes=100, config=AUTO):
    return near_share(
        config, seen(latents, num_episodes), np.ones(latents.shape[1], np.float32)
    )


@pytest.fixture
def places():
    return np.random.default_rng(1).uniform(-1, 1, (4000, 6))


def test_goals_are_more_rarely_near_where_more_things_move(places):
    few, many = share(places[:, :3]), share(places)
    assert few > MIN_NEAR_SHARE > many


def test_the_share_is_that_of_the_places_that_the_images_cover(places):
    # Balls of radius 0.3 around 1500 images in the cube of volume 64 leave this much uncovered.
    covered = 1 - np.exp(-NUM_SEEN * np.pi**2 / 2 * 0.3**4 / 2**4)
    assert share(places[:, :4]) == pytest.approx(covered, rel=0.1)


def test_goals_in_which_a_thing_lies_where_it_began_do_not_count(places):
    """A hand moves freely along two latents; a rope, in four, moves in one image of ten."""
    latents = places.copy()
    latents[np.arange(len(latents)) % 10 > 0, 2:] = 0
    one, other = np.zeros((2, 6, 6), np.float32)
    one[:2, :2], other[2:, 2:] = np.eye(2), np.eye(4)
    weight, known = np.ones(6, np.float32), seen(latents, 100)
    assert near_share(AUTO, known, weight) > 0.8
    assert near_share(AUTO, known, weight, np.stack([one, other])) < MIN_NEAR_SHARE
    assert near_share(AUTO, known, weight, one[None]) > 0.8


def test_goals_near_their_own_episode_do_not_count(places):
    still = np.repeat(places[:100], 40, axis=0)
    assert share(still) < MIN_NEAR_SHARE
    assert share(still, num_episodes=4000 // 2) > MIN_NEAR_SHARE


def test_a_latent_without_weight_does_not_count(places):
    weight = np.array([1, 1, 1, 0, 0, 0], np.float32)
    assert near_share(AUTO, seen(places, 100), weight) > MIN_NEAR_SHARE


def test_images_in_no_order_have_no_near_goals(places):
    assert share(places[:, :1], num_episodes=0) == 0


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({NEAR_SHARE: 0.2, NUM_REWARDS: 1}, "sparse"),
        ({NEAR_SHARE: 0.05, NUM_REWARDS: 1}, "sqrt_distance"),
        ({NEAR_SHARE: 0.2, NUM_REWARDS: 3}, "sqrt_distance"),
        ({NEAR_SHARE: 0.2}, "sparse"),
    ],
)
def test_a_run_that_goes_on_finds_its_choice_in_its_metrics(choice, kind):
    rows = [{"num_env_steps": 0.0}, choice]
    assert chosen_before(AUTO, rows) == kind


class Notes(Recorder):
    """A recorder that keeps what a reward was chosen by."""

    def __init__(self):
        self.choice = None

    def after_choice(self, *choice):
        self.choice = choice


@pytest.mark.parametrize(
    ("by_thing", "num_things", "kind"),
    [(True, 3, "sqrt_distance"), (False, 3, "sparse"), (True, 2, "sparse")],
)
def test_the_reward_is_dense_where_each_thing_has_its_own(places, by_thing, num_things, kind):
    reward = RewardConfig(kind="auto", by_thing=by_thing)
    td3, goals = TD3Config(gamma="auto"), GoalConfig(source="composed")
    config = Config(reward=reward, td3=td3, goals=goals)
    notes, known = Notes(), Things(num_things)
    episodes = seen(places[:, :1].repeat(known.latent_dim, axis=1), 100)
    assert choose_reward(config, episodes, known, notes) == kind
    assert notes.choice[1] == (3 if kind == "sqrt_distance" else 1)
    assert notes.choice[2]["td3/gamma"] == (0.98 if kind == "sqrt_distance" else 0.95)


def test_a_reward_that_was_asked_for_stays():
    latent = replace(AUTO, reward=RewardConfig(kind="latent"))
    assert chosen_before(latent, [{NEAR_SHARE: 1.0}]) == "latent"


def test_a_state_of_an_older_version_has_the_reward_of_the_settings():
    assert load_reward_kind({}, RewardConfig(kind="latent")) == "latent"


@pytest.mark.parametrize("about", [{}, {"reward_kind": "auto"}, {"reward_kind": "nearest"}])
def test_a_state_that_does_not_say_what_was_chosen_is_damaged(about):
    with pytest.raises(RunError, match="damaged"):
        load_reward_kind(about, AUTO.reward)


def test_the_share_is_measured_once_in_a_run(finished_run):
    rows = [row for row in finished_run("latents").metrics() if NEAR_SHARE in row]
    assert [row["num_env_steps"] for row in rows] == [0]


def test_latents_without_weights_have_no_reward_to_choose():
    pixels, recorder = (
        PixelRepresentation(np.zeros((1, 48), np.uint8)),
        object.__new__(Recorder),
    )
    with pytest.raises(ConfigError, match="choose one of pixel"):
        choose_reward(AUTO, seen(np.zeros((40, 2)), 2), pixels, recorder)
