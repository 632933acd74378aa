import copy
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rig.envs import registration
from rig.envs.tabletop import Tabletop
from rig.envs.tasks import PUSH, REACH, TASKS
from rig.envs.thread_pool import ThreadPool
from rig.errors import DivergedError, TaskError


GREEN, BLUE = 1, 2
GOALS = np.array([[0.02, 0.56, 0.1, 0.65], [-0.02, 0.6, -0.1, 0.55]])


@pytest.fixture
def envs():
    envs = gymnasium.make_vec("rig/Push-v0", num_envs=2)
    yield envs
    envs.close()


def test_every_task_is_registered():
    assert [task.id for task in TASKS] == list(registration.IDS)


@pytest.mark.parametrize(
    "code",
    [
        "import gymnasium, rig.envs; gymnasium.make('rig/Reach-v0').close()",
        "import gymnasium; gymnasium.make('rig.envs:rig/Reach-v0').close()",
        "import gymnasium; gymnasium.make('rig.envs.registration:rig/Reach-v0').close()",
        "import rig.envs, sys; assert not {'mujoco', 'jax'} & set(sys.modules)",
    ],
)
def test_importing_rig_envs_registers_the_tasks_and_no_more(code):
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("name", registration.IDS)
def test_environment_passes_gymnasiums_checker(name):
    check_env(gymnasium.make(name, render_mode="rgb_array").unwrapped)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_spec_says_how_long_episodes_are(task):
    assert gymnasium.spec(task.id).max_episode_steps == task.num_steps


def test_episodes_may_be_shorter_as_gymnasium_says():
    envs = gymnasium.make_vec("rig/Push-v0", num_envs=2, max_episode_steps=2)
    wrapped = gymnasium.wrappers.vector.RecordEpisodeStatistics(envs)
    wrapped.reset(seed=0)
    ends = [wrapped.step(np.zeros((2, 2), np.float32))[3].tolist() for _ in range(2)]
    assert ends == [[False] * 2, [True] * 2]
    envs.close()


def test_wrapper_that_asks_for_the_time_limit_takes_our_tasks():
    env = gymnasium.wrappers.TimeAwareObservation(gymnasium.make("rig/Reach-v0"))
    env.reset(seed=0)


def test_some_environments_are_reset_by_a_mask(envs):
    before, info = envs.reset(seed=0)
    for _ in range(3):
        moved, *_, moved_info = envs.step(np.ones((2, 2), np.float32))
    after, after_info = envs.reset(options={"reset_mask": np.array([True, False])})
    for name in ("observation", "achieved_goal", "desired_goal"):
        np.testing.assert_array_equal(after[name][1], moved[name][1])
    np.testing.assert_array_equal(after["observation"][0], before["observation"][0])
    assert (after_info["goal_state"][0] != info["goal_state"][0]).any()
    np.testing.assert_array_equal(after_info["state"][1], moved_info["state"][1])
    ends = []
    for _ in range(PUSH.num_steps):
        ends.append(envs.step(np.zeros((2, 2), np.float32))[3])
    assert np.argmax(ends, axis=0).tolist() == [PUSH.num_steps - 1, PUSH.num_steps - 4]


def test_reset_free_environment_reset_by_a_mask_continues():
    envs = gymnasium.make_vec("rig/PushResetFree-v0", num_envs=2)
    envs.reset(seed=0)
    moved = envs.step(np.ones((2, 2), np.float32))[-1]["state"]
    info = envs.reset(options={"reset_mask": np.array([True, False])})[1]
    np.testing.assert_array_equal(info["state"], moved)
    envs.close()


@pytest.mark.parametrize("mask", [[True], [1, 0], np.ones((2, 1), bool)])
def test_error_for_a_reset_mask_says_what_would_be_right(envs, mask):
    with pytest.raises(TaskError, match=r"reset_mask is .* give bool of shape \(2,\)"):
        envs.reset(options={"reset_mask": mask})


def test_images_that_a_caller_writes_to_change_nothing_else():
    env = gymnasium.make("rig/Push-v0", render_mode="rgb_array")
    for observation in (env.reset(seed=0)[0], env.step(np.zeros(2, np.float32))[0]):
        before = env.render().copy()
        observation["observation"][:] = 0
        np.testing.assert_array_equal(observation["achieved_goal"], before)
        observation["achieved_goal"][:] = 0
        np.testing.assert_array_equal(env.render(), before)


def test_copied_environments_continue_with_the_same_bytes(envs):
    envs.reset(seed=0)
    other = copy.deepcopy(envs)
    seen = [each.step(np.ones((2, 2), np.float32))[0]["observation"] for each in (envs, other)]
    np.testing.assert_array_equal(*seen)
    other.close()


def test_environments_used_before_a_fork_work_in_the_child(monkeypatch):
    monkeypatch.setattr("os.getpid", lambda: 1)
    pool = ThreadPool(2)
    pool._executor.shutdown()  # as after a fork: it has no threads in the child
    monkeypatch.setattr("os.getpid", lambda: 2)
    done = []
    pool.map(done.append, range(4))
    assert sorted(done) == [0, 1, 2, 3]
    pool.close()


def test_observations_of_a_batch_are_in_its_space(envs):
    observation, _ = envs.reset(seed=0)
    assert envs.observation_space.contains(observation)
    assert envs.observation_space["observation"].shape == (2, 48, 48, 3)
    assert envs.action_space.shape == (2, 2)


def test_batch_truncates_together_and_gives_no_reward(envs):
    envs.reset(seed=0)
    for step in range(1, PUSH.num_steps + 1):
        _, reward, terminated, truncated, _ = envs.step(envs.action_space.sample())
        assert truncated.tolist() == [step == PUSH.num_steps] * 2
        assert not terminated.any()
        assert not reward.any()


def test_achieved_goal_is_the_observation(envs):
    envs.reset(seed=0)
    observation, *_ = envs.step(np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(observation["achieved_goal"], observation["observation"])


def test_desired_goal_is_the_image_of_the_goal_state(envs):
    observation, info = envs.reset(options={"goal_states": GOALS})
    np.testing.assert_array_equal(
        observation["desired_goal"], envs.unwrapped.tabletop.goal_images(GOALS)
    )
    np.testing.assert_array_equal(info["goal_state"], GOALS)


def test_training_episodes_begin_at_the_start(envs):
    envs.reset(seed=0)
    envs.step(np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(envs.reset()[1]["state"], [PUSH.start] * 2)


@pytest.mark.parametrize("name", ["rig/PushResetFree-v0", "rig/DoorResetFree-v0"])
def test_training_episodes_of_a_reset_free_task_continue_and_evaluation_starts_over(name):
    envs = gymnasium.make_vec(name, num_envs=2)
    size = envs.single_action_space.shape[0]
    start = envs.unwrapped.task.start
    np.testing.assert_array_equal(envs.reset(seed=0)[1]["state"], [start] * 2)
    before, *_, info = envs.step(np.full((2, size), -0.5, np.float32))
    after, info_after = envs.reset()
    np.testing.assert_array_equal(after["observation"], before["observation"])
    np.testing.assert_array_equal(info_after["state"], info["state"])
    goals = envs.unwrapped.task.sample_goals(2, rng=np.random.default_rng(0))
    evaluated = envs.reset(options={"goal_states": goals})[1]
    np.testing.assert_array_equal(evaluated["state"], [start] * 2)
    envs.close()


def test_reset_free_task_continues_from_a_restored_state():
    first, second = (gymnasium.make_vec("rig/DoorResetFree-v0", num_envs=2) for _ in range(2))
    for envs in (first, second):
        envs.reset()
    pull, lower = np.float32([[0, -1, 0]] * 2), np.float32([[0, 0, -1]] * 2)
    for action in (lower, lower, lower, pull, pull):
        first.step(action)
    second.unwrapped.set_state(first.unwrapped.get_state())
    seen = [envs.reset()[0]["observation"] for envs in (first, second)]
    np.testing.assert_array_equal(*seen)
    states = [envs.step(pull)[-1]["state"] for envs in (first, second)]
    np.testing.assert_array_equal(*states)
    assert (states[0][:, 3] > 0.01).all()
    first.close(), second.close()


def test_objects_that_the_goal_lacks_are_absent_in_its_evaluation():
    envs = gymnasium.make_vec("rig/PushAny-v0", num_envs=3)
    goals = np.tile([0.0, 0.6, 0.15, 0.6, -0.15, 0.6], (3, 1))
    goals[1, 2:4] = goals[2, 2:] = np.nan
    observation, info = envs.reset(options={"goal_states": goals})
    for images in (observation["observation"], observation["desired_goal"]):
        assert (num_pixels_of_colour(images, BLUE) > 20).tolist() == [True, False, False]
        assert (num_pixels_of_colour(images, GREEN) > 20).tolist() == [True, True, False]
    for _ in range(3):
        *_, info = envs.step(np.ones((3, 2), np.float32))
    assert np.isnan(info["puck_1_distance_m"]).tolist() == [False, True, True]
    assert np.isnan(info["state"][:, 4]).tolist() == [False, False, True]
    assert np.isfinite(info["total_distance_m"]).all()
    observation, info = envs.reset()
    assert np.isfinite(info["state"]).all()
    assert (num_pixels_of_colour(observation["observation"], GREEN) > 20).all()
    envs.close()


def test_absence_of_an_object_that_is_always_present_raises_an_error(envs):
    with pytest.raises(DivergedError, match="state of environment 0"):
        envs.reset(options={"goal_states": np.full((2, 4), np.nan)})


def test_angles_are_measured_in_radians():
    env = gymnasium.make("rig/Door-v0")
    _, info = env.reset(options={"goal_states": [-0.05, 0.635, 0.225, 0.5]})
    assert info["door_distance_rad"] == pytest.approx(0.5)
    assert info["hand_distance_m"] == 0


@pytest.mark.parametrize("name", ["rig/PushAny-v0", "rig/DoorResetFree-v0", "rig/Rope-v0"])
def test_observations_do_not_depend_on_what_is_measured(name, monkeypatch):
    def play():
        envs = gymnasium.make_vec(name, num_envs=2)
        seen = []
        for seed in (0, None):
            seen.append(envs.reset(seed=seed)[0])
            seen.append(envs.step(np.ones(envs.action_space.shape, np.float32))[0])
        envs.close()
        return [images for observation in seen for images in observation.values()]

    before = play()
    monkeypatch.setattr(Tabletop, "states", lambda self: np.full((2, self.state_size), np.nan))
    np.testing.assert_array_equal(play(), before)


def num_pixels_of_colour(images, channel):
    """Count the pixels of each image that have far more of one colour than of red."""
    return (images[..., channel] > images[..., 0].astype(int) + 50).sum(axis=(1, 2))


def test_measurements_are_in_metres(envs):
    _, info = envs.reset(options={"goal_states": GOALS})
    assert info["hand_distance_m"] == pytest.approx(np.hypot(0.02, [0.01, 0.05]))
    assert info["puck_distance_m"] == pytest.approx(np.hypot(0.1, 0.05) * np.ones(2))


def test_goals_depend_on_the_seed_only(envs):
    seen = [envs.reset(seed=seed)[0]["desired_goal"] for seed in (7, 7, 8)]
    np.testing.assert_array_equal(seen[0], seen[1])
    assert (seen[0] != seen[2]).any()


def test_reset_without_a_seed_draws_new_goals(envs):
    first, second = envs.reset(seed=7)[1], envs.reset()[1]
    assert (first["goal_state"] != second["goal_state"]).all()


def test_single_environment_equals_a_batch_of_one():
    one = gymnasium.make("rig/Push-v0")
    batch = gymnasium.make_vec("rig/Push-v0", num_envs=1)
    one.reset(seed=3), batch.reset(seed=3)
    (observation, *_), (observations, *_) = (
        one.step(np.ones(2, np.float32)),
        batch.step(np.ones((1, 2), np.float32)),
    )
    for name in observation:
        np.testing.assert_array_equal(observation[name], observations[name][0])


def test_image_size_can_be_chosen():
    env = gymnasium.make("rig/Reach-v0", image_size=84)
    assert env.reset(seed=0)[0]["observation"].shape == (84, 84, 3)
    assert env.unwrapped.task is REACH


def test_unknown_reset_option_raises_an_error(envs):
    with pytest.raises(TaskError, match="goal_state'"):
        envs.reset(options={"goal_state": GOALS})


@pytest.mark.parametrize("shape", [(2, 3), (1, 4), (4,), ()])
def test_error_for_goal_states_of_a_wrong_shape_says_the_right_one(envs, shape):
    with pytest.raises(TaskError, match=r"takes \(2, 4\)"):
        envs.reset(options={"goal_states": np.zeros(shape)})


@pytest.mark.parametrize("name", registration.IDS)
def test_restored_environments_continue_with_the_same_bytes(name):
    one, other = (gymnasium.make_vec(name, num_envs=2) for _ in range(2))
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (8, 2, one.unwrapped.action_size)).astype(np.float32)
    one.reset(seed=3)
    for action in actions[:4]:
        one.step(action)
    state = one.unwrapped.get_state()
    assert np.isfinite(state).all()
    other.unwrapped.set_state(state)
    seed = None if one.unwrapped.is_reset_free else 5
    begun = [envs.reset(seed=seed)[0]["observation"] for envs in (one, other)]
    np.testing.assert_array_equal(*begun)
    for action in actions[4:]:
        seen = [envs.step(action)[0]["observation"] for envs in (one, other)]
        np.testing.assert_array_equal(*seen)
    np.testing.assert_array_equal(one.unwrapped.get_state(), other.unwrapped.get_state())
    one.close()
    other.close()
