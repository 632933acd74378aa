from dataclasses import replace

import numpy as np
import pytest

from rig.envs.tabletop import Tabletop
from rig.envs.tasks import PUSH, PUSH_WIDE, REACH, TASKS
from rig.errors import DivergedError, ImageError, TaskError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def actions(*rows):
    return np.array(rows, np.float32)


def num_puck_pixels(images):
    """Count the blue pixels of each image."""
    return (images[..., 2] > images[..., 0].astype(int) + 50).sum(axis=(1, 2))


def play(tabletop, num_steps, seed=0):
    """Return the last images and states after random actions, the same in every copy."""
    rng = np.random.default_rng(seed)
    for _ in range(num_steps):
        action = rng.uniform(-1, 1, 2).astype(np.float32)
        images = tabletop.step(np.tile(action, (tabletop.num_envs, 1)))
    return images, tabletop.states()


@pytest.mark.parametrize("action", [(1, 0), (0, 1), (-1, 0.5), (0.3, 0.1)])
def test_hand_moves_2_cm_per_unit_of_action(action):
    tabletop = Tabletop(REACH, 1)
    tabletop.set_states(np.array([[0.0, 0.6]]))
    tabletop.step(actions(action))
    moved_m = tabletop.states()[0] - [0.0, 0.6]
    np.testing.assert_allclose(moved_m, 0.02 * np.array(action), atol=1e-6)


def test_hand_stays_in_its_box():
    tabletop = Tabletop(REACH, 4)
    for _ in range(30):
        tabletop.step(actions((1, 1), (-1, -1), (1, -1), (-1, 1)))
    corners_m = [[0.2, 0.7], [-0.2, 0.5], [0.2, 0.5], [-0.2, 0.7]]
    np.testing.assert_allclose(tabletop.states(), corners_m, atol=1e-6)


def test_larger_actions_are_clipped():
    tabletop = Tabletop(REACH, 2)
    tabletop.step(actions((1, 1), (50, 50)))
    np.testing.assert_array_equal(*tabletop.states())


def test_untouched_puck_does_not_move():
    tabletop = Tabletop(PUSH, 1)
    before = tabletop.reset()
    for _ in range(20):
        after = tabletop.step(actions((0, 0)))
    np.testing.assert_array_equal(tabletop.states()[0], PUSH.start)
    assert (before != after).any(
        axis=-1
    ).sum() <= 2  # it settles by less than half a millimetre


def test_pushed_puck_goes_ahead_of_the_hand():
    tabletop = Tabletop(PUSH, 1)
    for _ in range(5):
        tabletop.step(actions((0, 1)))
    hand_x_m, hand_y_m, puck_x_m, puck_y_m = tabletop.states()[0]
    assert hand_y_m == pytest.approx(0.65, abs=2e-4)  # nothing holds the hand up
    touching_m = hand_y_m + 0.005 + np.sqrt(0.04**2 - 0.025**2)
    assert (hand_x_m, puck_x_m) == pytest.approx((0, 0), abs=1e-4)
    assert puck_y_m == pytest.approx(touching_m, abs=0.003)


def test_puck_can_be_pushed_sideways():
    tabletop = Tabletop(PUSH, 1)
    tabletop.set_states(np.array([[-0.1, 0.6, 0.0, 0.6]]))
    for _ in range(8):
        tabletop.step(actions((1, 0)))
    hand_x_m, _, puck_x_m, _ = tabletop.states()[0]
    assert puck_x_m == pytest.approx(hand_x_m + 0.035 + 0.04, abs=0.004)


def test_puck_stops_when_no_longer_pushed():
    tabletop = Tabletop(PUSH, 1)
    for _ in range(4):
        tabletop.step(actions((0, 1)))
    pushed_m = tabletop.states()[0, 3]
    tabletop.step(actions((0, -1)))
    stopped_m = tabletop.states()[0, 3]
    tabletop.step(actions((0, -1)))
    assert abs(stopped_m - pushed_m) < 0.004
    assert tabletop.states()[0, 3] == pytest.approx(stopped_m, abs=1e-6)


def test_fingers_do_not_enter_the_puck(rng):
    tabletop = Tabletop(PUSH_WIDE, 16)
    nearest_m = []
    for _ in range(60):
        towards = tabletop.states() @ [[-1, 0], [0, -1], [1, 0], [0, 1]]
        tabletop.step((8 * towards + rng.normal(0, 0.6, (16, 2))).astype(np.float32))
        bars_m = tabletop.states()[:, None, :2] + [[-0.03, 0], [0.03, 0]]
        outside_m = np.maximum(np.abs(bars_m - tabletop.states()[:, None, 2:]) - 0.005, 0)
        nearest_m.append(np.linalg.norm(outside_m, axis=-1).min())
    assert 0.038 < min(nearest_m) < 0.041


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_states_that_are_set_are_the_states(task, rng):
    tabletop = Tabletop(task, 3)
    goals = task.sample_goals(3, rng=rng)
    tabletop.set_states(goals)
    np.testing.assert_array_equal(tabletop.states(), goals)


def test_goal_image_is_the_image_of_its_state(rng):
    tabletop = Tabletop(PUSH, 3)
    goals = PUSH.sample_goals(7, rng=rng)
    np.testing.assert_array_equal(
        tabletop.goal_images(goals)[:3], tabletop.set_states(goals[:3])
    )
    np.testing.assert_array_equal(
        tabletop.goal_images(goals)[4:], tabletop.set_states(goals[4:])
    )


def test_rendering_goals_does_not_change_the_environments(rng):
    rendered, untouched = Tabletop(PUSH, 2), Tabletop(PUSH, 2)
    play(rendered, 10), play(untouched, 10)
    rendered.goal_images(PUSH.sample_goals(5, rng=rng))
    np.testing.assert_array_equal(play(rendered, 5, 1)[0], play(untouched, 5, 1)[0])


def test_reset_leaves_nothing_of_the_last_episode():
    played, fresh = Tabletop(PUSH, 2), Tabletop(PUSH, 2)
    play(played, 25)
    np.testing.assert_array_equal(played.reset(), fresh.reset())
    np.testing.assert_array_equal(play(played, 25)[1], play(fresh, 25)[1])


@pytest.mark.parametrize(("num_envs", "num_threads"), [(1, 1), (5, 1), (5, 2), (5, 3)])
def test_same_actions_give_the_same_bytes_alone_in_a_batch_and_on_threads(
    num_envs, num_threads
):
    images, states = play(Tabletop(PUSH, 1, num_threads=1), 25)
    batch_images, batch_states = play(Tabletop(PUSH, num_envs, num_threads=num_threads), 25)
    np.testing.assert_array_equal(batch_images, images.repeat(num_envs, axis=0))
    np.testing.assert_array_equal(batch_states, states.repeat(num_envs, axis=0))


def test_returned_images_are_not_overwritten():
    tabletop = Tabletop(PUSH, 2)
    first = tabletop.step(actions((1, 0), (1, 0)))
    kept = first.copy()
    tabletop.step(actions((1, 0), (1, 0)))
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("image_size", [48, 84])
def test_images_have_the_requested_size(image_size):
    assert Tabletop(REACH, 2, image_size).reset().shape == (2, image_size, image_size, 3)


def test_puck_is_visible_at_the_start():
    for task in (PUSH, PUSH_WIDE):
        assert num_puck_pixels(Tabletop(task, 1).reset())[0] > 40


def test_puck_is_hidden_in_few_goals(rng):
    images = Tabletop(PUSH, 16).goal_images(PUSH.sample_goals(400, rng=rng))
    assert (num_puck_pixels(images) < 12).mean() < 0.02


def test_image_changes_when_the_puck_moves_1_cm():
    near, far = Tabletop(PUSH, 2).goal_images(
        np.array([[0, 0.55, 0, 0.60], [0, 0.55, 0, 0.61]])
    )
    assert (near != far).any(axis=-1).sum() > 5


def test_error_for_a_nan_action_names_the_environment():
    with pytest.raises(DivergedError, match="environment 1"):
        Tabletop(REACH, 2).step(actions((0, 0), (np.nan, 0)))


def test_error_for_a_wrong_number_of_actions_says_the_right_shape():
    with pytest.raises(TaskError, match=r"\(3, 2\).*takes \(2, 2\)"):
        Tabletop(REACH, 2).step(np.zeros((3, 2), np.float32))


def test_states_of_another_task_raise_an_error():
    with pytest.raises(TaskError, match=r"takes \(5, 4\)"):
        Tabletop(PUSH, 1).goal_images(np.zeros((5, 2)))


def test_zero_environments_raise_an_error():
    with pytest.raises(ImageError, match="num_envs is 0"):
        Tabletop(REACH, 0)


def test_task_can_be_changed_with_replace():
    nearer = replace(REACH, start=(0.0, 0.65))
    np.testing.assert_array_equal(Tabletop(nearer, 1).states(), [[0.0, 0.65]])
