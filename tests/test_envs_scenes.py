"""Scenes that colours alone do not tell apart, and the hand that takes a rope."""

from contextlib import closing

import numpy as np
import pytest

from rig.envs.patterns import pie_slices, wood_grain
from rig.envs.scene import Scene
from rig.envs.tabletop import STEP_M, Tabletop
from rig.envs.tasks import ROPE_PICK, find_task
from rig.envs.tasks.push import best_matching, half_turn_distance
from rig.envs.tasks.rope import NUM_JOINTS, points_m


NEAR_M = 0.003
OPEN, CLOSED = -1.0, 1.0


def rope_of(states):
    return points_m(states[:, 2 : 2 + NUM_JOINTS])


def rope_distances(states, goals):
    return np.linalg.norm(rope_of(states) - rope_of(goals), axis=2).mean(axis=1)


class KnowingHand:
    """Takes the point that is farthest from its goal, carries it there, and lets it go."""

    def __init__(self, goals):
        self.goals_m, self.steps = rope_of(goals), ["choose"] * len(goals)
        self.points = np.zeros(len(goals), int)

    def act(self, states):
        rope_m, actions = rope_of(states), np.zeros((len(states), 3), np.float32)
        for row, hand_m in enumerate(states[:, :2]):
            if self.steps[row] == "choose":
                left_m = np.linalg.norm(rope_m[row] - self.goals_m[row], axis=1)
                self.points[row], self.steps[row] = left_m.argmax(), "go"
            is_going, point = self.steps[row] == "go", self.points[row]
            way_m = (rope_m if is_going else self.goals_m)[row, point] - hand_m
            is_there = np.abs(way_m).max() < NEAR_M
            actions[row, :2] = 0 if is_there else np.clip(way_m / STEP_M, -1, 1)
            actions[row, 2] = CLOSED if is_going == is_there else OPEN
            if is_there:
                self.steps[row] = "carry" if is_going else "choose"
        return actions


def test_a_hand_that_knows_the_truth_leaves_at_most_one_centimetre_of_rope():
    goals = ROPE_PICK.sample_states(16, rng=np.random.default_rng(3))
    with closing(Tabletop(ROPE_PICK, 16, 16, 1)) as tabletop:
        before = rope_distances(tabletop.states(), goals).mean()
        hand = KnowingHand(goals)
        for _ in range(ROPE_PICK.num_steps):
            tabletop.step(hand.act(tabletop.states()))
        left = rope_distances(tabletop.states(), goals)
    assert before > 0.035
    assert left.mean() < 0.01


def at_point(tabletop, point):
    """Move the open hand to a point of the rope."""
    for _ in range(20):
        states = tabletop.states()
        way_m = rope_of(states)[0, point] - states[0, :2]
        moves = np.clip(way_m / STEP_M, -1, 1)
        tabletop.step(np.array([[*moves, OPEN]], np.float32))


@pytest.fixture
def tabletop():
    with closing(Tabletop(ROPE_PICK, 1, 16, 1)) as one:
        yield one


def carry(tabletop, grip, num=4):
    """Move the hand away from the robot; return how far the rope's first point moved."""
    before = rope_of(tabletop.states())[0, 0]
    for _ in range(num):
        tabletop.step(np.array([[0.0, 1.0, grip]], np.float32))
    return np.linalg.norm(rope_of(tabletop.states())[0, 0] - before)


def test_an_open_hand_passes_over_the_rope(tabletop):
    at_point(tabletop, 0)
    assert carry(tabletop, OPEN) < 1e-3


def test_a_hand_that_closes_at_a_point_carries_it_and_lets_it_go(tabletop):
    at_point(tabletop, 0)
    assert carry(tabletop, CLOSED) == pytest.approx(0.08, abs=0.01)
    assert carry(tabletop, OPEN) < 0.01


def test_a_hand_that_closes_elsewhere_takes_nothing(tabletop):
    at_point(tabletop, 0)
    for _ in range(2):
        tabletop.step(np.array([[0.0, -1.0, OPEN]], np.float32))
    # Still closed, it passes over the rope again: only closing takes.
    assert carry(tabletop, CLOSED) < 1e-3


def test_a_state_with_a_held_rope_goes_on_to_the_same_bytes(tabletop):
    at_point(tabletop, 3)
    carry(tabletop, CLOSED, 2)
    held = tabletop.full_states()
    carry(tabletop, CLOSED)
    expected = tabletop.full_states()
    with closing(Tabletop(ROPE_PICK, 1, 16, 1)) as other:
        other.set_full_states(held)
        carry(other, CLOSED)
        np.testing.assert_array_equal(other.full_states(), expected)


def test_two_pucks_of_one_colour_may_change_places():
    pucks = np.array([[0.1, 0.6, -0.1, 0.6]])
    changed = pucks[:, [2, 3, 0, 1]]
    assert best_matching(pucks, changed) == 0
    assert best_matching(pucks + np.array([0.03, 0.04, 0, 0]), changed) == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("turn", "goal", "apart"), [(0.0, np.pi, 0), (0.1, -0.2, 0.3), (0.0, 3.0, np.pi - 3)]
)
def test_half_a_turn_of_a_bar_looks_like_none(turn, goal, apart):
    measured = half_turn_distance(np.array([[turn]]), np.array([[goal]]))
    assert measured == pytest.approx(apart, abs=1e-9)


def test_a_bar_turns_where_it_is_pushed_at_its_end_only():
    task = find_task("PushBar")
    turns = []
    for hand_x_m in (0.0, 0.08):
        with closing(Tabletop(task, 1, 16, 1)) as tabletop:
            tabletop.set_states(np.array([[hand_x_m, 0.52, 0.0, 0.58, 0.0]]))
            for _ in range(6):
                tabletop.step(np.array([[0.0, 1.0]], np.float32))
            states = tabletop.states()
            assert states[0, 3] > 0.6
            turns.append(abs(states[0, 4]))
    assert turns[0] < 0.02
    assert turns[1] > 0.3


def colours_of(name, *geoms):
    """Return the RGB of each geom in the scene of a task."""
    task = find_task(name)
    model = Scene(task.scene, task.joints, colours=task.colours).model
    return [model.geom(geom).rgba[:3] for geom in geoms]


def test_a_puck_may_have_the_colour_of_the_fingers():
    puck, finger = colours_of("PushDark", "puck", "left_finger")
    np.testing.assert_array_equal(puck, finger)


def test_a_puck_may_be_a_darker_shade_of_the_table():
    puck, table = colours_of("PushGrey", "puck", "table")
    np.testing.assert_allclose(puck / table, 0.69, atol=0.03)


def test_a_pattern_moves_with_its_geom():
    task = find_task("PushPattern")
    with closing(Tabletop(task, 1, 96, 1)) as tabletop:
        places = [[-0.1, 0.65, x, 0.55] for x in (0.0, 0.05)]
        images = tabletop.goal_images(np.array(places)).astype(int)
        still = tabletop.camera.still_image
    shown = [image[(image != still).any(axis=2)] for image in images]
    colours = [[np.all(one > 150, axis=1).sum(), one.std()] for one in shown]
    np.testing.assert_allclose(colours[0], colours[1], rtol=0.15, atol=6)
    assert still.reshape(-1, 3).std(axis=0).min() > 10


def test_patterns_depend_on_the_place_alone():
    points_m = np.random.default_rng(0).uniform(-0.5, 0.5, (100, 3))
    for pattern in (wood_grain, pie_slices):
        both = pattern(np.concatenate([points_m, points_m]))
        np.testing.assert_array_equal(both[:100], both[100:])
        assert 0 <= both.min() <= both.max() <= 1
    assert len(np.unique(pie_slices(points_m), axis=0)) == 4
