import mujoco
import numpy as np
import pytest

from rig.envs.camera import RayCamera
from rig.envs.scene import Scene
from rig.envs.tasks import PUSH, REACH, TASKS
from rig.envs.thread_pool import ThreadPool


@pytest.fixture(params=TASKS, ids=lambda task: task.name)
def goals_seen(request, rng):
    """A scene, its data posed at four goals, and a camera of 21 pixels."""
    task = request.param
    scene = Scene(task.scene, task.joints)
    datas = [scene.new_data() for _ in range(4)]
    for data, state in zip(datas, task.sample_goals(4, rng=rng), strict=True):
        scene.set_state(data, state)
    scene.pose(datas)
    return scene, datas, RayCamera(scene.model, task.camera, 21)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def render(camera, datas, num_threads=1):
    images = np.zeros((len(datas), 21, 21, 3), np.uint8)
    camera.images(datas, images, ThreadPool(num_threads))
    return images


def colour_by_single_ray(scene, data, origin_m, ray):
    """Compute the colour of one pixel the slow way: one ray, all geoms, no bounds, no cache."""
    geom_id, normal = np.zeros(1, np.int32), np.zeros(3)
    mujoco.mj_ray(
        scene.model, data, origin_m, ray, np.array([1, 1, 0, 0, 0, 0], np.uint8), True, -1,
        geom_id, normal,
    )  # fmt: skip
    if geom_id[0] < 0:
        return 255 * np.array([0.80, 0.86, 0.91])
    return 255 * scene.model.geom_rgba[geom_id[0], :3] * (0.35 + 0.65 * -normal @ ray)


def test_push_camera_has_the_original_position():
    down = 0.3 * np.sqrt(0.5)
    np.testing.assert_allclose(
        PUSH.camera.position_m(), [0, 0.85 + down, 0.2 + down], atol=1e-12
    )


def test_reach_camera_has_the_original_position():
    across, down = 0.4 * np.cos(np.deg2rad(35)), 0.4 * np.sin(np.deg2rad(35))
    np.testing.assert_allclose(
        REACH.camera.position_m(), [0, 0.85 + across, 0.3 + down], atol=1e-12
    )


def test_middle_ray_passes_through_the_lookat_point():
    middle = REACH.camera.rays(5)[12]
    np.testing.assert_allclose(
        REACH.camera.position_m() + 0.4 * middle, REACH.camera.lookat_m, atol=1e-12
    )


def test_image_is_45_degrees_high():
    rays = REACH.camera.rays(101).reshape(101, 101, 3)
    edges = np.rad2deg(np.arccos(rays[0, 50] @ rays[-1, 50]))
    assert edges == pytest.approx(45 * 100 / 101, abs=0.1)


def test_first_row_is_above_the_last_and_first_column_on_the_left():
    rays = PUSH.camera.rays(9).reshape(9, 9, 3)
    assert rays[0, 4, 2] > rays[-1, 4, 2]
    assert rays[4, 0, 0] > rays[4, -1, 0]  # it faces the robot: x points left


def test_every_pixel_has_the_colour_that_its_own_ray_hits(goals_seen):
    scene, datas, camera = goals_seen
    task_camera = next(task.camera for task in TASKS if task.scene in scene_name(scene))
    origin_m, rays = task_camera.position_m(), task_camera.rays(21)
    expected = [
        [colour_by_single_ray(scene, data, origin_m, ray) for ray in rays] for data in datas
    ]
    seen = render(camera, datas).reshape(4, -1, 3)
    assert np.abs(seen - np.array(expected)).max() < 2


def scene_name(scene):
    return scene.model.names.split(b"\0")[0].decode()


def test_images_are_the_same_on_any_number_of_threads(goals_seen):
    _, datas, camera = goals_seen
    alone = [render(camera, [data])[0] for data in datas]
    np.testing.assert_array_equal(render(camera, datas, 3), np.array(alone))


def test_body_behind_the_camera_does_not_hide_the_scene(goals_seen):
    scene, datas, camera = goals_seen
    before = render(camera, datas)
    for data in datas:
        data.geom_xpos[scene.model.body("shoulder").geomadr[0]] = (0, 3.0, 0.5)
    after = render(camera, datas)
    assert (before != after).any(axis=-1).mean() < 0.15


def test_table_hides_what_is_below_it():
    scene = Scene("push", PUSH.joints)
    data = scene.new_data()
    scene.set_state(data, np.array(PUSH.start))
    scene.pose([data])
    camera = RayCamera(scene.model, PUSH.camera, 21)
    data.geom("puck").xpos[2] -= 0.1
    image = render(camera, [data])[0]
    assert not (image[..., 2] > image[..., 0].astype(int) + 50).any()  # nothing blue
