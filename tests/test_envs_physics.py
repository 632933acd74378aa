"""The tasks are possible, and impossible motions do no harm."""

from dataclasses import replace

import numpy as np
import pytest
from by_hand import RopePusher, carry, grip, move_by, move_to, open_door

from rig.agent.explore import RandomPolicy
from rig.envs.scene import load_model
from rig.envs.tabletop import STEP_M, Tabletop
from rig.envs.task import Region
from rig.envs.tasks import DOOR, PICK_AND_PLACE, PUSH_RESET_FREE, PUSH_TWO, ROPE, TASKS
from rig.envs.tasks.door import is_in_front
from rig.envs.tasks.rope import BENDS, LINK_M, NUM_LINKS, points_m


@pytest.fixture
def door():
    return Tabletop(DOOR, 1)


@pytest.fixture
def picker():
    return Tabletop(PICK_AND_PLACE, 1)


@pytest.mark.parametrize("angle_rad", [0.1, 0.4, 0.7, DOOR.goals["door"].high[0]])
def test_hook_opens_the_door_to_any_angle_and_lets_go(door, angle_rad):
    *_, hand_z_m, opened_rad = open_door(door, angle_rad)
    assert opened_rad == pytest.approx(angle_rad, abs=0.03)
    assert hand_z_m == pytest.approx(0.25, abs=1e-3)


def test_door_stays_where_it_was_left(door):
    opened_rad = open_door(door, 0.4)[3]
    for _ in range(20):
        move_by(door, (0, 0, 0))
    assert door.states()[0, 3] == pytest.approx(opened_rad, abs=0.01)


def test_hook_pushes_the_door_closed(door):
    door.set_states(np.array([[0.0, 0.45, 0.12, 0.3]]))
    move_to(door, (0.0, 0.65, 0.12))
    assert door.states()[0, 3] == pytest.approx(0, abs=5e-3)


def test_hand_stops_at_the_bar_and_at_the_closed_door(door):
    for _ in range(20):
        move_by(door, (0, 0, -1))
    assert door.states()[0] == pytest.approx((-0.05, 0.635, 0.158, 0), abs=2e-3)
    door.set_states(np.array([[-0.05, 0.58, 0.12, 0.0]]))
    for _ in range(20):
        move_by(door, (0, 1, 0))
    x_m, y_m, _, angle_rad = door.states()[0]
    assert (x_m, angle_rad) == pytest.approx((-0.05, 0), abs=2e-3)
    assert y_m < DOOR.hand_box.high[1] + 1e-3


def test_hand_can_not_get_behind_the_door(rng):
    doors = Tabletop(DOOR, 60)
    wide = replace(DOOR, goals={**DOOR.goals, "door": Region(low=(0.4,), high=(0.83,))})
    doors.set_states(wide.sample_states(60, rng=rng))
    for _ in range(4):
        places_m = DOOR.goals["hand"].sample(60, rng=rng)
        for _ in range(30):
            away_m = places_m - doors.states()[:, :3]
            doors.step(np.clip(away_m / STEP_M, -1, 1).astype(np.float32))
        states = doors.states()
        states[:, 1] -= 0.02  # the hand's middle may lean over the door's plane
        assert is_in_front(states).all()


def test_block_is_gripped_lifted_and_carried(picker):
    hand_y_m, hand_z_m, block_y_m, block_z_m, *_ = carry(picker, (0.64, 0.12))
    assert (hand_y_m, hand_z_m) == pytest.approx((0.64, 0.12), abs=1e-3)
    assert (block_y_m, block_z_m) == pytest.approx((0.64, 0.09), abs=2e-3)


def test_held_block_does_not_slip(picker):
    carry(picker, (0.6, 0.12))
    for _ in range(20):
        grip(picker, 1)
    assert picker.states()[0, 3] == pytest.approx(0.09, abs=4e-3)


def test_opened_hand_lets_the_block_fall_onto_the_table(picker):
    carry(picker, (0.57, 0.12))
    grip(picker, -1)
    grip(picker, -1)
    _, _, block_y_m, block_z_m, *_ = picker.states()[0]
    assert block_y_m == pytest.approx(0.57, abs=0.01)
    assert block_z_m == pytest.approx(0.02, abs=1e-3)


def test_block_gripped_by_its_cap_slips(picker):
    """Held there, it would hang lower than in any goal."""
    move_to(picker, (0.6, 0.075), motors=(-1,))
    grip(picker, 1)
    move_to(picker, (0.6, 0.12), motors=(1,))
    assert picker.states()[0, 3] == pytest.approx(0.02, abs=1e-3)


def test_closed_fingers_stop_on_top_of_the_block(picker):
    for _ in range(20):
        move_by(picker, (0, -1), (1,))
    assert picker.states()[0, 3] == pytest.approx(0.02, abs=2e-3)
    assert picker.states()[0, 1] > 0.08


def test_held_goals_can_be_held():
    states = PICK_AND_PLACE.sample_states(60, rng=np.random.default_rng(0))
    held = states[states[:, 4] > 0][:16]
    tabletop = Tabletop(PICK_AND_PLACE, 16)
    tabletop.set_states(held)
    for _ in range(10):
        tabletop.step(np.tile(np.float32([0, 0, 1]), (16, 1)))
    np.testing.assert_allclose(tabletop.states(), held, atol=3e-3)


def test_each_of_two_pucks_is_pushed_and_the_other_stays():
    tabletop = Tabletop(PUSH_TWO, 1)
    move_to(tabletop, (0.05, 0.5)), move_to(tabletop, (0.05, 0.62))
    first_m, second_m = tabletop.states()[0, 2:4], tabletop.states()[0, 4:]
    assert first_m == pytest.approx((0.05, 0.668), abs=3e-3)
    assert second_m == pytest.approx((-0.05, 0.6), abs=3e-3)
    for place in ((0.05, 0.5), (-0.05, 0.5), (-0.05, 0.6)):
        move_to(tabletop, place)
    assert tabletop.states()[0, 2:4] == pytest.approx(first_m, abs=3e-3)
    assert tabletop.states()[0, 4:] == pytest.approx((-0.05, 0.648), abs=3e-3)


def test_pucks_push_each_other():
    tabletop = Tabletop(PUSH_TWO, 1)
    tabletop.set_states(np.array([[0.1, 0.62, 0.0, 0.62, -0.1, 0.62]]))
    move_to(tabletop, (0.05, 0.62))
    first_m, second_m = tabletop.states()[0, 2:4], tabletop.states()[0, 4:]
    assert second_m[0] < -0.12
    assert np.linalg.norm(first_m - second_m) == pytest.approx(0.1, abs=4e-3)


def test_puck_of_the_reset_free_task_can_always_be_pushed_away():
    """The fence holds, nothing is pressed into it, and the hand gets behind the puck."""
    tabletop, rng = Tabletop(PUSH_RESET_FREE, 16), np.random.default_rng(0)
    policy, visited = RandomPolicy(16, 2, 0.9), []
    policy.reset(rng=rng)
    for _ in range(250):
        tabletop.step(policy.act(rng=rng))
        visited.append(tabletop.states())
    states = np.concatenate(visited)
    fence = PUSH_RESET_FREE.goals["puck"]
    assert (states[:, 2:] > np.array(fence.low) - 2e-3).all()
    assert (states[:, 2:] < np.array(fence.high) + 2e-3).all()
    bars_m = states[:, None, :2] + [[-0.03, 0], [0.03, 0]]
    outside_m = np.maximum(np.abs(bars_m - states[:, None, 2:]) - 0.005, 0)
    assert np.linalg.norm(outside_m, axis=-1).min() > 0.036
    cornered = np.array([[0.24, 0.44, 0.15, 0.7]] * 16)
    tabletop.set_states(cornered)
    for target in (
        (0.24, 0.76),
        (0.15, 0.76),
        (0.15, 0.64),
        (0.24, 0.64),
        (0.24, 0.57),
        (0.1, 0.57),
    ):
        for _ in range(18):
            away_m = np.array(target) - tabletop.states()[:, :2]
            tabletop.step(np.clip(away_m / 0.02, -1, 1).astype(np.float32))
    assert (tabletop.states()[:, 2:] < [0.13, 0.66]).all()


def test_scripted_pusher_halves_the_median_rope_distance():
    tabletop = Tabletop(ROPE, 1)
    pusher = RopePusher(tabletop)
    goals = ROPE.sample_states(6, rng=np.random.default_rng(3))
    before = ROPE.distances(np.tile(ROPE.start, (6, 1)), goals)["rope_m"]
    after = []
    for goal in goals:
        tabletop.reset()
        after.append(ROPE.distances(pusher.play(goal), goal[None])["rope_m"][0])
    assert np.median(after) < np.median(before) / 2


def test_rope_keeps_its_shape_when_no_longer_pushed():
    tabletop = Tabletop(ROPE, 1)
    move_to(tabletop, (0.0, 0.65))
    move_to(tabletop, (0.0, 0.56))
    before_m = points_m(tabletop.states()[:, 2:])
    move_to(tabletop, (0.0, 0.48))
    assert np.abs(points_m(tabletop.states()[:, 2:]) - before_m).max() < 2e-3


def test_rope_links_match_the_scene_file():
    model = load_model("rope")
    assert [model.joint(name).name for name in BENDS] == list(BENDS)
    for link in range(2, NUM_LINKS + 1):
        np.testing.assert_allclose(model.body(f"link_{link}").pos, [LINK_M, 0, 0])
    with pytest.raises(KeyError):
        model.body(f"link_{NUM_LINKS + 1}")


def test_rope_distance_is_the_mean_over_its_points():
    """Turned about its start by a right angle, a point at s moves by s times root two."""
    straight, turned = np.zeros((2, 1, NUM_LINKS + 2))
    turned[0, 2] = np.pi / 2
    measured = ROPE.scores["rope"].distance(straight, turned)
    assert measured == pytest.approx(np.sqrt(2) * LINK_M * NUM_LINKS / 2)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_hand_moves_2_cm_per_unit_of_action_in_every_task(task):
    """Along each of its axes, where nothing is in the way."""
    tabletop = Tabletop(task, 1)
    num = len(task.hand_box.low)
    middle_m = (np.array(task.hand_box.low) + task.hand_box.high) / 2
    for axis in range(num):
        start = np.array(task.start)
        start[:num] = np.where(np.arange(num) == axis, middle_m, task.hand_box.low)
        if task.objects["hand"][-1] == "hand_z":
            start[num - 1] = task.hand_box.high[-1] - 0.02 * (axis == num - 1)
        tabletop.set_states(start[None])
        action = np.zeros((1, tabletop.action_size), np.float32)
        action[0, axis] = 0.5
        tabletop.step(action)
        moved_m = tabletop.states()[0, :num] - start[:num]
        np.testing.assert_allclose(moved_m, 0.01 * (np.arange(num) == axis), atol=2e-4)
