import numpy as np
import pytest

from rig.errors import SceneError, TaskError
from rig.world.scene import Scene, joint_addresses, load_model
from rig.world.tasks import PUSH, PUSH_WIDE, REACH, TASKS, find_task


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def do_nothing_m(task, rng):
    goals = task.sample_goals(20_000, rng=rng)
    return task.distances(np.tile(task.start, (20_000, 1)), goals)["puck_m"].mean()


@pytest.mark.parametrize("name", ["Push", "push", "rig/Push-v0"])
def test_task_is_found_by_any_of_its_names(name):
    assert find_task(name) is PUSH


def test_unknown_task_names_the_nearest():
    with pytest.raises(TaskError, match="did you mean 'Push'"):
        find_task("Psuh")


@pytest.mark.parametrize(("task", "num_steps"), [(REACH, 50), (PUSH, 50), (PUSH_WIDE, 100)])
def test_episodes_are_as_long_as_the_originals(task, num_steps):
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


def test_doing_nothing_scores_97_mm_in_push(rng):
    assert do_nothing_m(PUSH, rng) == pytest.approx(0.0968, abs=0.001)


def test_doing_nothing_scores_119_mm_in_push_wide(rng):
    assert do_nothing_m(PUSH_WIDE, rng) == pytest.approx(0.1186, abs=0.0015)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_goals_fill_their_ranges(task, rng):
    goals = task.sample_goals(4000, rng=rng)
    low = [number for name in task.objects for number in task.goals[name].low]
    high = [number for name in task.objects for number in task.goals[name].high]
    assert (goals >= low).all()
    assert (goals <= high).all()
    np.testing.assert_allclose([goals.min(0), goals.max(0)], [low, high], atol=0.005)


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


def test_start_has_nothing_inside_anything():
    assert (
        not Scene("push", PUSH.joints)
        .overlapping(np.array([PUSH.start, PUSH_WIDE.start]))
        .any()
    )


def test_missing_scene_names_the_nearest():
    with pytest.raises(SceneError, match="did you mean 'push'"):
        load_model("push2")


def test_missing_joint_names_the_nearest():
    with pytest.raises(SceneError, match="did you mean 'puck_x'"):
        joint_addresses(load_model("push"), ["puk_x"])
