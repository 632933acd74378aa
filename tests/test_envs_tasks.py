from dataclasses import replace

import numpy as np
import pytest

from rig.envs import task as task_module
from rig.envs.scene import Scene, joint_addresses, load_model
from rig.envs.tasks import (
    DOOR,
    PICK_AND_PLACE,
    PUSH,
    PUSH_ANY,
    PUSH_TWO,
    PUSH_WIDE,
    REACH,
    ROPE,
    TASKS,
    Region,
    find_task,
)
from rig.envs.tasks.rope import points_m
from rig.errors import SceneError, TaskError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def no_op_distance_m(task, rng):
    goals = task.sample_goals(8000, rng=rng)
    return task.distances(np.tile(task.start, (8000, 1)), goals)["puck_m"].mean()


@pytest.mark.parametrize("name", ["Push", "push", "rig/Push-v0"])
def test_task_is_found_by_any_of_its_names(name):
    assert find_task(name) is PUSH


def test_error_for_an_unknown_task_suggests_the_nearest():
    with pytest.raises(TaskError, match="did you mean 'Push'"):
        find_task("Psuh")


@pytest.mark.parametrize(("task", "num_steps"), [(REACH, 50), (PUSH, 50), (PUSH_WIDE, 100)])
def test_episodes_have_the_original_length(task, num_steps):
    assert task.num_steps == num_steps


def test_puck_has_the_original_size_and_weight():
    model = load_model("push")
    np.testing.assert_allclose(model.geom("puck").size[:2], [0.04, 0.015])
    assert model.body("puck").mass[0] == pytest.approx(0.1)
    assert model.geom("rim").size[0] == model.geom("puck").size[0]


def test_only_push_scenes_have_a_puck():
    assert load_model("reach").nv == 2
    assert load_model("push").nv == 5


def test_fingers_are_two_bars_6_cm_apart():
    model = load_model("push")
    apart = model.geom("right_finger").pos - model.geom("left_finger").pos
    np.testing.assert_allclose(apart, [0.06, 0, 0])
    np.testing.assert_allclose(model.geom("left_finger").size[:2], [0.005, 0.005])


def test_no_op_policy_scores_180_mm_for_two_pucks_together(rng):
    goals = PUSH_TWO.sample_goals(1500, rng=rng)
    distances = PUSH_TWO.distances(np.tile(PUSH_TWO.start, (1500, 1)), goals)
    together_m = (distances["puck_1_m"] + distances["puck_2_m"]).mean()
    assert together_m == pytest.approx(0.1796, abs=0.005)


def test_no_op_policy_scores_97_mm_in_push(rng):
    assert no_op_distance_m(PUSH, rng) == pytest.approx(0.0968, abs=0.0015)


def test_no_op_policy_scores_119_mm_in_push_wide(rng):
    assert no_op_distance_m(PUSH_WIDE, rng) == pytest.approx(0.1186, abs=0.0015)


@pytest.mark.parametrize(
    "task", [task for task in TASKS if "rope" not in task.objects], ids=lambda task: task.name
)
def test_goals_fill_their_ranges(task, rng):
    goals = task.sample_states(2000, rng=rng)
    low = np.array([number for name in task.objects for number in task.goals[name].low])
    high = np.array([number for name in task.objects for number in task.goals[name].high])
    assert (goals >= low).all()
    assert (goals <= high).all()
    slack = 0.05 * (high - low)
    assert (goals.min(0) <= low + slack).all()
    assert (goals.max(0) >= high - slack).all()


def test_no_goal_has_a_finger_in_the_puck(rng):
    goals = PUSH.sample_goals(4000, rng=rng)
    bars_m = goals[:, None, :2] + [[-0.03, 0], [0.03, 0]]
    outside_m = np.maximum(np.abs(bars_m - goals[:, None, 2:]) - 0.005, 0)
    assert np.linalg.norm(outside_m, axis=-1).min() >= 0.04 - 1e-5


def test_same_seed_gives_same_goals():
    first, second = (PUSH.sample_goals(8, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_distances_are_in_the_plane_and_by_object():
    distances_m = PUSH.distances(
        np.array([[0.0, 0.6, 0.1, 0.5]]), np.array([[0.03, 0.64, 0.1, 0.62]])
    )
    assert distances_m["hand_m"] == pytest.approx(0.05)
    assert distances_m["puck_m"] == pytest.approx(0.12)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_nothing_overlaps_at_the_start(task):
    assert not Scene(task.scene, task.joints).overlapping(np.array([task.start])).any()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_nothing_overlaps_in_any_goal(task, rng):
    scene = Scene(task.scene, task.joints, task.motors)
    assert not scene.overlapping(task.sample_states(300, rng=rng)).any()


def test_no_goal_has_the_hand_behind_the_door(rng):
    """In the door's frame, the door is along the first axis and the robot in front of it."""
    goals = DOOR.sample_goals(500, rng=rng)
    turn = np.exp(-1j * goals[:, 3])
    in_frame = ((goals[:, 0] - 0.21) + 1j * (goals[:, 1] - 0.725)) * turn
    assert in_frame.imag.max() < 0
    assert np.histogram(goals[:, 3], bins=4, range=(0, 0.83))[0].min() > 90


def test_two_pucks_of_a_goal_do_not_overlap(rng):
    goals = PUSH_TWO.sample_goals(300, rng=rng)
    assert np.linalg.norm(goals[:, 2:4] - goals[:, 4:], axis=1).min() > 0.1 - 1e-5


def test_goal_without_a_free_hand_position_is_drawn_again(rng, monkeypatch):
    """The hand has only one position, and the puck is often there."""
    monkeypatch.setattr(task_module, "HAND_TRIES", 2)
    hand = Region(low=(0.0, 0.6), high=(0.0, 0.6))
    puck = Region(low=(-0.02, 0.59), high=(0.12, 0.61))
    goals = replace(PUSH, goals={"hand": hand, "puck": puck}).sample_states(8, rng=rng)
    assert not Scene("push", PUSH.joints).overlapping(goals).any()
    np.testing.assert_array_equal(goals[:, :2], [[0.0, 0.6]] * 8)


def test_each_puck_is_present_in_half_of_the_goals(rng):
    is_present = np.isfinite(PUSH_ANY.sample_goals(1000, rng=rng)[:, [2, 4]])
    np.testing.assert_allclose(is_present.mean(axis=0), 0.5, atol=0.05)
    num_both = is_present.all(axis=1).mean()
    assert num_both == pytest.approx(0.25, abs=0.05)


def test_training_always_has_both_pucks(rng):
    assert np.isfinite(PUSH_ANY.sample_states(100, rng=rng)).all()


def test_distance_of_an_absent_object_is_nan_and_not_in_the_total():
    goal = np.array([[0.0, 0.6, 0.1, 0.6, np.nan, np.nan]])
    distances = PUSH_ANY.distances(np.array([[0.0, 0.5, 0.1, 0.4, -0.1, 0.6]]), goal)
    assert distances["puck_1_m"] == pytest.approx(0.2)
    assert np.isnan(distances["puck_2_m"])
    assert distances["total_m"] == pytest.approx(0.3)


def test_door_distance_is_in_radians():
    start = np.array([DOOR.start])
    distances = DOOR.distances(start, start + np.array([0.0, 0.03, 0.04, 0.5]))
    assert list(distances) == ["hand_m", "door_rad"]
    assert distances["hand_m"] == pytest.approx(0.05)
    assert distances["door_rad"] == pytest.approx(0.5)


def test_units_of_a_state_are_those_of_its_joints():
    assert Scene("door", DOOR.joints).units == ["m", "m", "m", "rad"]


def test_block_is_held_in_three_quarters_of_the_goals(rng):
    goals = PICK_AND_PLACE.sample_goals(1500, rng=rng)
    is_held = goals[:, 4] > 0
    assert is_held.mean() == pytest.approx(0.75, abs=0.03)
    np.testing.assert_allclose(goals[is_held, 2:4], goals[is_held, :2] - [0, 0.03])
    np.testing.assert_allclose(goals[~is_held, 3], 0.02)


def test_grip_is_not_measured():
    assert list(PICK_AND_PLACE.scores) == ["hand", "block"]


def test_middles_of_rope_goals_fill_their_range(rng):
    goals = ROPE.sample_goals(500, rng=rng)
    middles_m = points_m(goals[:, 2:]).mean(axis=1)
    low, high = np.array(ROPE.goals["rope"].low[:2]), np.array(ROPE.goals["rope"].high[:2])
    assert (middles_m > low - 1e-9).all()
    assert (middles_m < high + 1e-9).all()
    np.testing.assert_allclose(middles_m.mean(axis=0), (low + high) / 2, atol=0.005)


def test_error_for_a_missing_scene_suggests_the_nearest():
    with pytest.raises(SceneError, match="did you mean 'push'"):
        load_model("push2")


def test_error_for_a_missing_joint_suggests_the_nearest():
    with pytest.raises(SceneError, match="did you mean 'puck_x'"):
        joint_addresses(load_model("push"), ["puk_x"])
