import numpy as np
import pytest

from rig.envs import arm
from rig.envs.scene import Scene
from rig.envs.tasks import REACH
from rig.errors import SceneError


FLANGES_M = np.array([[0.0, 0.5, 0.2], [0.2, 0.7, 0.2], [-0.2, 0.5, 0.2], [0.1, 0.6, 0.3]])


@pytest.fixture
def joints_m():
    positions, _ = arm.link_poses(FLANGES_M)
    return dict(zip(arm.LINKS, positions.transpose(1, 0, 2), strict=True))


def between(start, end):
    return np.linalg.norm(end - start, axis=1)


def test_shoulder_is_81_mm_from_the_axis_and_317_mm_up(joints_m):
    np.testing.assert_allclose(np.hypot(*joints_m["shoulder"].T[:2]), 0.081)
    np.testing.assert_allclose(joints_m["shoulder"][:, 2], 0.317)


def test_upper_arm_begins_192_mm_to_the_left_of_the_shoulder(joints_m):
    np.testing.assert_allclose(between(joints_m["shoulder"], joints_m["upper_arm"]), 0.1925)


def test_upper_arm_is_40_cm_long_with_168_mm_of_offset(joints_m):
    apart = np.hypot(0.4, 0.1685)
    np.testing.assert_allclose(between(joints_m["upper_arm"], joints_m["forearm"]), apart)


def test_forearm_is_40_cm_long_with_136_mm_of_offset(joints_m):
    np.testing.assert_allclose(
        between(joints_m["forearm"], joints_m["wrist"]), np.hypot(0.4, 0.1363)
    )


def test_wrist_is_13_cm_straight_above_the_flange(joints_m):
    np.testing.assert_allclose(
        joints_m["wrist"] - FLANGES_M, np.tile([0, 0, 0.13375], (4, 1)), atol=1e-12
    )


def test_elbow_is_above_shoulder_and_wrist(joints_m):
    assert (joints_m["forearm"][:, 2] > 0.5).all()


def test_each_drawn_link_ends_where_the_next_begins():
    scene = Scene("reach", REACH.joints)
    data = scene.new_data()
    scene.set_state(data, np.array([0.1, 0.6]))
    scene.pose([data])
    ends = {
        "upper_arm": (0.4, -0.1685, 0),
        "forearm": (0.4, 0.1363, 0),
        "wrist": (0.13375, 0, 0),
    }
    links = [data.body(link) for link in ends]
    tips_m = [link.xpos + link.xmat.reshape(3, 3) @ ends[link.name] for link in links]
    nexts_m = [data.body("forearm").xpos, data.body("wrist").xpos, data.site("flange").xpos]
    np.testing.assert_allclose(tips_m, nexts_m, atol=1e-12)


def test_hand_out_of_reach_raises_an_error():
    with pytest.raises(SceneError, match=r"the arm reaches 0\.8 m"):
        arm.link_poses(np.array([[0.0, 1.5, 0.2]]))
