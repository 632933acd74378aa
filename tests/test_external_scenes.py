"""Scenes that change: what the environment's own renderer would show is seen, or an error."""

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium import spaces

from rig.errors import ExternalEnvError
from rig.external.env import ExternalEnv
from rig.external.ray_caster import RayCasterSource


SCENE = """<mujoco>
<asset>
  <material name="paint" rgba="0 0 1 1"/>
  <texture name="wood" type="2d" builtin="flat" width="8" height="8" rgb1="1 1 1"/>
  <material name="board" texture="wood"/>
  <hfield name="hills" nrow="4" ncol="4" size="0.2 0.2 0.1 0.1"/>
  <mesh name="wedge" vertex="0 0 0 .2 0 0 0 .2 0 0 0 .2"/>
</asset>
<worldbody>
  <camera name="above" pos="0 0 1.5"/><camera name="aside" pos="0.2 0 1.5"/>
  <geom type="plane" size="1 1 .1" rgba=".8 .8 .8 1"/>
  <body><joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
    <geom name="puck" type="cylinder" size=".05 .05" rgba="1 0 0 1" mass="1"/>
    <geom name="knob" type="sphere" size=".02" pos=".1 0 .1" material="paint"/>
    <site name="mark" pos="-.2 -.2 .1" size=".08" rgba="0 1 0 0"/></body>
  <geom name="post" type="box" size=".05 .05 .05" pos=".3 .3 .05" rgba="0 .5 .5 1"/>
  <geom name="land" type="hfield" hfield="hills" pos="-.3 .3 0" rgba=".5 .5 0 1"/>
  <geom name="wedge" type="mesh" mesh="wedge" pos=".2 -.3 0" rgba=".5 0 .5 1"/>
  %s
</worldbody>
%s
</mujoco>"""
PLACE = spaces.Box(-9, 9, (2,), np.float64)
SIZE = 40


def compiled(world="", rest=""):
    return mujoco.MjModel.from_xml_string(SCENE % (world, rest))


class Scene(gymnasium.Env):
    """Two geoms on rails, beside others that stay."""

    action_space = spaces.Box(-1, 1, (2,), np.float32)
    observation_space = PLACE

    def __init__(self, model=None):
        self.model = model or compiled()
        self.data = mujoco.MjData(self.model)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        mujoco.mj_forward(self.model, self.data)
        return self.data.qpos.copy(), {}

    def step(self, action):
        self.data.qpos[:] += 0.1 * action
        mujoco.mj_forward(self.model, self.data)
        return self.data.qpos.copy(), 0.0, False, False, {}


class Pictures:
    """Some environments of a scene, and the ray camera."""

    def __init__(self, *models, camera="above", is_multi_goal=False):
        self.envs = [ExternalEnv(Scene(model), 50) for model in models or (None,)]
        self.source = RayCasterSource(SIZE, camera, is_multi_goal=is_multi_goal)
        for env in self.envs:
            env.reset(seed=0)

    def take(self):
        return self.source.images(self.envs)

    def fresh(self):
        """Return the images of a ray camera that has seen nothing before."""
        return RayCasterSource(SIZE, "above").images(self.envs)

    @property
    def scene(self):
        return self.envs[0].env


def recolour(scene):
    scene.model.geom("puck").rgba[:3] = (0.2, 0.9, 0.1)


def repaint(scene):
    scene.model.material("paint").rgba[:3] = (1, 1, 0)


def grow(scene):
    scene.model.geom("puck").size[:] = (0.3, 0.1, 0)


def grow_still_geom(scene):
    scene.model.geom("post").size[:] = (0.3, 0.1, 0.3)


def hide(scene):
    scene.model.geom("post").rgba[3] = 0


def fade(scene):
    scene.model.geom("post").rgba[3] = 0.4


def change_group(scene):
    scene.model.geom("post").group[:] = 4


def move_still_geom(scene):
    scene.model.geom("post").pos[:2] = (-0.4, -0.4)
    mujoco.mj_forward(scene.model, scene.data)


def show_site(scene):
    scene.model.site("mark").rgba[3] = 1


def raise_hills(scene):
    scene.model.hfield_data[:] = np.linspace(0, 1, 16)


def compile_new_model(scene):
    scene.model = compiled('<geom type="sphere" size=".2" pos="-.3 -.3 0" rgba="1 1 0 1"/>')
    scene.data = mujoco.MjData(scene.model)


CHANGES = (
    recolour,
    repaint,
    grow,
    grow_still_geom,
    hide,
    fade,
    change_group,
    move_still_geom,
    show_site,
    raise_hills,
    compile_new_model,
)


@pytest.mark.parametrize("change", CHANGES)
def test_change_at_a_reset_is_seen_in_the_environment_that_changed(change):
    pictures = Pictures(None, None)
    before = pictures.take()
    change(pictures.scene)
    for env in pictures.envs:
        env.reset(seed=0)
    after = pictures.take()
    assert np.abs(after[0].astype(int) - before[0]).max() > 20
    np.testing.assert_array_equal(after[1], before[1])
    np.testing.assert_array_equal(after, pictures.fresh())


@pytest.mark.parametrize("change", [recolour, hide, grow, show_site])
def test_change_within_an_episode_is_seen_at_once(change):
    pictures = Pictures()
    before = pictures.take()
    pictures.envs[0].step(np.zeros(2, np.float32))
    change(pictures.scene)
    assert np.abs(pictures.take().astype(int) - before).max() > 20


def test_environments_that_look_alike_again_share_a_renderer():
    pictures = Pictures(None, None)
    before = pictures.take()
    recolour(pictures.scene)
    pictures.take()
    pictures.scene.model.geom("puck").rgba[:3] = (1, 0, 0)
    np.testing.assert_array_equal(pictures.take(), before)
    assert len(set(map(id, pictures.source._renderers))) == 1


def test_every_pixel_of_a_scene_that_grew_has_the_colour_that_its_own_ray_hits():
    pictures = Pictures()
    pictures.take()
    grow(pictures.scene)
    grow_still_geom(pictures.scene)
    scene, seen = pictures.scene, pictures.take()[0].reshape(-1, 3)
    camera = pictures.source._view
    origin, rays = camera.position_m(), camera.rays(SIZE)
    for ray, colour in zip(rays, seen, strict=True):
        geom, normal = np.zeros(1, np.int32), np.zeros(3)
        mujoco.mj_ray(scene.model, scene.data, origin, ray, None, True, -1, geom, normal)
        paint = scene.model.mat_rgba[0] if geom[0] == scene.model.geom("knob").id else None
        paint = scene.model.geom_rgba[geom[0]] if paint is None else paint
        assert np.abs(255 * paint[:3] * (0.35 + 0.65 * -normal @ ray) - colour).max() < 2


@pytest.mark.parametrize("is_site", [False, True])
def test_see_through_colour_is_mixed_with_what_is_behind_it(is_site):
    pictures = Pictures()
    thing = pictures.scene.model.site("mark") if is_site else pictures.scene.model.geom("post")
    shown = {}
    for alpha in (0, 1, 0.25):
        thing.rgba[3] = alpha
        shown[alpha] = pictures.take().astype(float)
    np.testing.assert_allclose(shown[0.25], 0.25 * shown[1] + 0.75 * shown[0], atol=1)


def test_nearer_of_two_see_through_things_is_painted_last():
    red, blue = ('<geom type="box" size=".2 .2 .01" pos="0 0 {}" rgba="{} .5"/>',) * 2

    def image(*heights):
        world = red.format(heights[0], "1 0 0") + blue.format(heights[1], "0 0 1")
        return Pictures(compiled(world)).take()[0, SIZE // 2 + 6, SIZE // 2].astype(int)

    red_above, blue_above = image(0.5, 0.4), image(0.4, 0.5)
    assert red_above[0] > red_above[2] + 20
    assert blue_above[2] > blue_above[0] + 20


def test_what_is_behind_a_solid_thing_is_not_painted_over_it():
    below = '<geom type="box" size=".2 .2 .01" pos="0 0 -.5" rgba="1 1 1 .5"/>'
    np.testing.assert_array_equal(Pictures(compiled(below)).take(), Pictures().take())


def test_site_in_a_hidden_group_is_not_seen():
    pictures = Pictures()
    before = pictures.take()
    show_site(pictures.scene)
    pictures.scene.model.site("mark").group[:] = 4
    np.testing.assert_array_equal(pictures.take(), before)


def test_marks_of_the_environments_own_goal_are_left_out_with_a_note():
    world = '<site name="target_site" pos=".1 .1 .3" size=".2" rgba="1 0 0 1"/>'
    plain = Pictures().take()
    practised = Pictures(compiled(world), is_multi_goal=True)
    np.testing.assert_array_equal(practised.take(), plain)
    assert "not drawn: target_site" in practised.source.notes[-1]
    assert (Pictures(compiled(world)).take() != plain).any()


def test_cameras_that_were_not_chosen_are_named():
    chosen, default = Pictures(), Pictures(camera="")
    chosen.take(), default.take()
    assert chosen.source.notes == ()
    assert "above, aside: --camera NAME" in default.source.notes[0]


def test_camera_that_is_moved_at_a_reset_is_an_error():
    pictures = Pictures()
    pictures.take()
    pictures.scene.model.camera("above").pos[0] += 0.1
    pictures.envs[0].reset(seed=0)
    with pytest.raises(ExternalEnvError, match=r"'above' moves.*--camera 'lookat X Y Z"):
        pictures.take()


def change_texture(scene):
    scene.model.tex_data[:] = 0


def bend_mesh(scene):
    scene.model.mesh_vert[0] += 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [(change_texture, "textures change"), (bend_mesh, "vertices of its meshes change")],
)
def test_change_that_can_not_be_seen_is_an_error(change, message):
    pictures = Pictures(None, None)
    pictures.take()
    change(pictures.scene)
    pictures.envs[0].reset(seed=0)
    with pytest.raises(ExternalEnvError, match=f"{message}.*--camera render"):
        pictures.take()


ROPE = (
    '<site name="a" size=".01"/><site name="b" pos=".3 0 .3" size=".01"/>',
    '<tendon><spatial {}><site site="a"/><site site="b"/></spatial></tendon>',
)
CLOTH = """<flexcomp name="cloth" type="grid" count="3 3 1" spacing=".1 .1 .1" dim="2"
    radius=".01" mass="1" pos="0 0 1"><edge equality="true"/></flexcomp>"""


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (compiled(ROPE[0], ROPE[1].format("")), "tendon"),
        (compiled(CLOTH), r"soft body \(flex\)"),
    ],
)
def test_scene_with_things_that_rays_do_not_hit_is_refused_at_once(model, kind):
    with pytest.raises(ExternalEnvError, match=f"shows a {kind}.*--camera render"):
        Pictures(model).take()


def test_hidden_and_fixed_tendons_are_no_obstacle():
    fixed = '<tendon><fixed><joint joint="x" coef="1"/></fixed></tendon>'
    Pictures(compiled(*(ROPE[0], ROPE[1].format('group="4"')))).take()
    Pictures(compiled(rest=fixed)).take()
