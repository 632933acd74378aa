import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rig.errors import TaskError
from rig.world import registration
from rig.world.tasks import PUSH, REACH, TASKS


GOALS = np.array([[0.02, 0.56, 0.1, 0.65], [-0.02, 0.6, -0.1, 0.55]])


@pytest.fixture
def worlds():
    worlds = gymnasium.make_vec("rig/Push-v0", num_envs=2)
    yield worlds
    worlds.close()


def test_every_task_is_registered():
    assert [task.id for task in TASKS] == list(registration.IDS)


def test_gymnasium_finds_a_task_by_module_and_name():
    code = "import gymnasium; gymnasium.make('rig.world.registration:rig/Reach-v0').close()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("name", registration.IDS)
def test_environment_keeps_gymnasiums_contract(name):
    check_env(gymnasium.make(name, render_mode="rgb_array").unwrapped)


def test_batch_keeps_its_spaces(worlds):
    observation, _ = worlds.reset(seed=0)
    assert worlds.observation_space.contains(observation)
    assert worlds.observation_space["observation"].shape == (2, 48, 48, 3)
    assert worlds.action_space.shape == (2, 2)


def test_batch_truncates_together_and_gives_no_reward(worlds):
    worlds.reset(seed=0)
    for step in range(1, PUSH.num_steps + 1):
        _, reward, terminated, truncated, _ = worlds.step(worlds.action_space.sample())
        assert truncated.tolist() == [step == PUSH.num_steps] * 2
        assert not terminated.any()
        assert not reward.any()


def test_achieved_goal_is_what_the_camera_sees(worlds):
    worlds.reset(seed=0)
    observation, *_ = worlds.step(np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(observation["achieved_goal"], observation["observation"])


def test_desired_goal_is_the_picture_of_the_goal_state(worlds):
    observation, info = worlds.reset(options={"goal_states": GOALS})
    np.testing.assert_array_equal(
        observation["desired_goal"], worlds.unwrapped.tabletop.goal_images(GOALS)
    )
    np.testing.assert_array_equal(info["goal_state"], GOALS)


def test_measurements_are_in_metres(worlds):
    _, info = worlds.reset(options={"goal_states": GOALS})
    assert info["hand_distance_m"] == pytest.approx(np.hypot(0.02, [0.01, 0.05]))
    assert info["puck_distance_m"] == pytest.approx(np.hypot(0.1, 0.05) * np.ones(2))


def test_same_seed_gives_the_same_goals_and_another_others(worlds):
    seen = [worlds.reset(seed=seed)[0]["desired_goal"] for seed in (7, 7, 8)]
    np.testing.assert_array_equal(seen[0], seen[1])
    assert (seen[0] != seen[2]).any()


def test_goals_go_on_changing_without_a_seed(worlds):
    first, second = worlds.reset(seed=7)[1], worlds.reset()[1]
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


def test_unknown_reset_option_is_refused(worlds):
    with pytest.raises(TaskError, match="goal_state'"):
        worlds.reset(options={"goal_state": GOALS})
