import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rig.envs import registration
from rig.envs.tasks import PUSH, REACH, TASKS
from rig.errors import DivergedError, TaskError


GREEN, BLUE = 1, 2
GOALS = np.array([[0.02, 0.56, 0.1, 0.65], [-0.02, 0.6, -0.1, 0.55]])


@pytest.fixture
def base_envs():
    base_envs = gymnasium.make_vec("rig/Push-v0", num_envs=2)
    yield base_envs
    base_envs.close()


def test_every_task_is_registered():
    assert [task.id for task in TASKS] == list(registration.IDS)


def test_gymnasium_finds_a_task_by_module_and_name():
    code = "import gymnasium; gymnasium.make('rig.envs.registration:rig/Reach-v0').close()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("name", registration.IDS)
def test_environment_keeps_gymnasiums_contract(name):
    check_env(gymnasium.make(name, render_mode="rgb_array").unwrapped)


def test_batch_keeps_its_spaces(base_envs):
    observation, _ = base_envs.reset(seed=0)
    assert base_envs.observation_space.contains(observation)
    assert base_envs.observation_space["observation"].shape == (2, 48, 48, 3)
    assert base_envs.action_space.shape == (2, 2)


def test_batch_truncates_together_and_gives_no_reward(base_envs):
    base_envs.reset(seed=0)
    for step in range(1, PUSH.num_steps + 1):
        _, reward, terminated, truncated, _ = base_envs.step(base_envs.action_space.sample())
        assert truncated.tolist() == [step == PUSH.num_steps] * 2
        assert not terminated.any()
        assert not reward.any()


def test_achieved_goal_is_what_the_camera_sees(base_envs):
    base_envs.reset(seed=0)
    observation, *_ = base_envs.step(np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(observation["achieved_goal"], observation["observation"])


def test_desired_goal_is_the_picture_of_the_goal_state(base_envs):
    observation, info = base_envs.reset(options={"goal_states": GOALS})
    np.testing.assert_array_equal(
        observation["desired_goal"], base_envs.unwrapped.tabletop.goal_images(GOALS)
    )
    np.testing.assert_array_equal(info["goal_state"], GOALS)


def test_practice_in_a_task_that_is_put_back_begins_at_the_start(base_envs):
    base_envs.reset(seed=0)
    base_envs.step(np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(base_envs.reset()[1]["state"], [PUSH.start] * 2)


@pytest.mark.parametrize("name", ["rig/PushResetFree-v0", "rig/DoorResetFree-v0"])
def test_practice_in_a_task_that_is_not_put_back_goes_on_from_where_it_is(name):
    base_envs = gymnasium.make_vec(name, num_envs=2)
    size = base_envs.single_action_space.shape[0]
    start = base_envs.unwrapped.task.start
    np.testing.assert_array_equal(base_envs.reset(seed=0)[1]["state"], [start] * 2)
    before, *_, info = base_envs.step(np.full((2, size), -0.5, np.float32))
    after, info_after = base_envs.reset()
    np.testing.assert_array_equal(after["observation"], before["observation"])
    np.testing.assert_array_equal(info_after["state"], info["state"])
    goals = base_envs.unwrapped.task.sample_goals(2, rng=np.random.default_rng(0))
    evaluated = base_envs.reset(options={"goal_states": goals})[1]
    np.testing.assert_array_equal(evaluated["state"], [start] * 2)
    base_envs.close()


def test_world_that_is_not_put_back_goes_on_from_its_memory():
    first, second = (gymnasium.make_vec("rig/DoorResetFree-v0", num_envs=2) for _ in range(2))
    for base_envs in (first, second):
        base_envs.reset()
    pull, lower = np.float32([[0, -1, 0]] * 2), np.float32([[0, 0, -1]] * 2)
    for action in (lower, lower, lower, pull, pull):
        first.step(action)
    second.unwrapped.set_state(first.unwrapped.get_state())
    seen = [base_envs.reset()[0]["observation"] for base_envs in (first, second)]
    np.testing.assert_array_equal(*seen)
    states = [base_envs.step(pull)[-1]["state"] for base_envs in (first, second)]
    np.testing.assert_array_equal(*states)
    assert (states[0][:, 3] > 0.01).all()
    first.close(), second.close()


def test_what_the_goal_lacks_is_not_in_the_world_of_its_evaluation():
    base_envs = gymnasium.make_vec("rig/PushAny-v0", num_envs=3)
    goals = np.tile([0.0, 0.6, 0.15, 0.6, -0.15, 0.6], (3, 1))
    goals[1, 2:4] = goals[2, 2:] = np.nan
    observation, info = base_envs.reset(options={"goal_states": goals})
    for images in (observation["observation"], observation["desired_goal"]):
        assert (num_of_colour(images, BLUE) > 20).tolist() == [True, False, False]
        assert (num_of_colour(images, GREEN) > 20).tolist() == [True, True, False]
    for _ in range(3):
        *_, info = base_envs.step(np.ones((3, 2), np.float32))
    assert np.isnan(info["puck_1_distance_m"]).tolist() == [False, True, True]
    assert np.isnan(info["state"][:, 4]).tolist() == [False, False, True]
    assert np.isfinite(info["total_distance_m"]).all()
    observation, info = base_envs.reset()
    assert np.isfinite(info["state"]).all()
    assert (num_of_colour(observation["observation"], GREEN) > 20).all()
    base_envs.close()


def test_only_what_may_be_missing_may_be_missing(base_envs):
    with pytest.raises(DivergedError, match="state of world 0"):
        base_envs.reset(options={"goal_states": np.full((2, 4), np.nan)})


def test_angles_are_measured_in_radians():
    env = gymnasium.make("rig/Door-v0")
    _, info = env.reset(options={"goal_states": [-0.05, 0.635, 0.225, 0.5]})
    assert info["door_distance_rad"] == pytest.approx(0.5)
    assert info["hand_distance_m"] == 0


@pytest.mark.parametrize("name", ["rig/PushAny-v0", "rig/DoorResetFree-v0", "rig/Rope-v0"])
def test_practice_goes_on_without_ever_asking_for_the_true_state(name, monkeypatch):
    def refuse():
        raise AssertionError("practice asked for the true state")

    base_envs = gymnasium.make_vec(name, num_envs=2)
    monkeypatch.setattr(base_envs.unwrapped, "_measure", dict)
    monkeypatch.setattr(base_envs.unwrapped.tabletop, "states", refuse)
    for _ in range(2):
        base_envs.reset()
        base_envs.step(np.ones(base_envs.action_space.shape, np.float32))
    base_envs.close()


def num_of_colour(images, channel):
    """How many pixels of each picture have far more of one colour than of red."""
    return (images[..., channel] > images[..., 0].astype(int) + 50).sum(axis=(1, 2))


def test_measurements_are_in_metres(base_envs):
    _, info = base_envs.reset(options={"goal_states": GOALS})
    assert info["hand_distance_m"] == pytest.approx(np.hypot(0.02, [0.01, 0.05]))
    assert info["puck_distance_m"] == pytest.approx(np.hypot(0.1, 0.05) * np.ones(2))


def test_same_seed_gives_the_same_goals_and_another_others(base_envs):
    seen = [base_envs.reset(seed=seed)[0]["desired_goal"] for seed in (7, 7, 8)]
    np.testing.assert_array_equal(seen[0], seen[1])
    assert (seen[0] != seen[2]).any()


def test_goals_go_on_changing_without_a_seed(base_envs):
    first, second = base_envs.reset(seed=7)[1], base_envs.reset()[1]
    assert (first["goal_state"] != second["goal_state"]).all()


def test_one_world_is_a_batch_of_one():
    one = gymnasium.make("rig/Push-v0")
    batch = gymnasium.make_vec("rig/Push-v0", num_envs=1)
    one.reset(seed=3), batch.reset(seed=3)
    (picture, *_), (pictures, *_) = (
        one.step(np.ones(2, np.float32)),
        batch.step(np.ones((1, 2), np.float32)),
    )
    for name in picture:
        np.testing.assert_array_equal(picture[name], pictures[name][0])


def test_image_size_can_be_chosen():
    env = gymnasium.make("rig/Reach-v0", image_size=84)
    assert env.reset(seed=0)[0]["observation"].shape == (84, 84, 3)
    assert env.unwrapped.task is REACH


def test_unknown_reset_option_is_refused(base_envs):
    with pytest.raises(TaskError, match="goal_state'"):
        base_envs.reset(options={"goal_state": GOALS})


@pytest.mark.parametrize("shape", [(2, 3), (1, 4), (4,), ()])
def test_goal_states_that_do_not_fit_are_refused_by_their_shape(base_envs, shape):
    with pytest.raises(TaskError, match=r"takes \(2, 4\)"):
        base_envs.reset(options={"goal_states": np.zeros(shape)})


@pytest.mark.parametrize("name", registration.IDS)
def test_recalled_worlds_go_on_to_the_same_bytes(name):
    one, other = (gymnasium.make_vec(name, num_envs=2) for _ in range(2))
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (8, 2, one.unwrapped.action_size)).astype(np.float32)
    one.reset(seed=3)
    for action in actions[:4]:
        one.step(action)
    memory = one.unwrapped.get_state()
    assert np.isfinite(memory).all()
    other.unwrapped.set_state(memory)
    seed = 5 if one.unwrapped.is_put_back else None
    begun = [base_envs.reset(seed=seed)[0]["observation"] for base_envs in (one, other)]
    np.testing.assert_array_equal(*begun)
    for action in actions[4:]:
        seen = [base_envs.step(action)[0]["observation"] for base_envs in (one, other)]
        np.testing.assert_array_equal(*seen)
    np.testing.assert_array_equal(one.unwrapped.get_state(), other.unwrapped.get_state())
    one.close()
    other.close()
