import copy
import os
import pickle  # noqa: TID251 (a user of our environments may)
import subprocess
import sys
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import registry
from PIL import Image

from rig.errors import DivergedError, ExternalEnvError, TaskError
from rig.external import appearance, ray_caster, scene_renderer
from rig.external.make import EnvSpec, make_external_envs


NUM_STEPS = 6
POINT = spaces.Box(-9, 9, (3,), np.float64)


class Fake(gymnasium.Env):
    """Records its actions, which are in [2, 6], and counts its steps."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012
    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Box(2, 6, (1, 2), np.float32)

    def __init__(self, render_mode=None):
        self.render_mode, self.actions = render_mode, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.num_steps_done = 0
        self.start = int(self.np_random.integers(100))
        return self.observe(), {}

    def step(self, action):
        self.actions.append(action)
        self.num_steps_done += 1
        return self.observe(), 5.0, self.start % 2 == 0 and self.num_steps_done == 3, False, {}

    def observe(self):
        return np.zeros(1, np.float32)

    def render(self):
        """Alternate columns of two values, whose mean grows by each step; black bars around."""
        image = np.zeros((96, 120, 3), np.uint8)
        image[:, 12:108:2] = 100
        image[:, 13:108:2] = 100 + 2 * self.num_steps_done
        image[:, 12:108, 1] = self.start
        return image


class ImagesInDict(Fake):
    """Its images are parts of its observation."""

    grey = spaces.Box(0, 255, (48, 48, 3), np.uint8)
    observation_space = spaces.Dict(joints=POINT, front=grey, side=grey)

    def observe(self):
        front = np.full((48, 48, 3), 10, np.uint8)
        return {"joints": np.zeros(3), "front": front, "side": 3 * front}


class MultiGoal(Fake):
    """A multi-goal environment: its achieved goal is (steps, 0, 0)."""

    observation_space = spaces.Dict(achieved_goal=POINT, desired_goal=POINT)

    def reset(self, *, seed=None, options=None):
        self.goal = np.array([0.0, 3.0, 0.0])
        return super().reset(seed=seed)

    def step(self, action):
        observation = super().step(action)[0]
        return (
            observation,
            0.0,
            False,
            False,
            {"is_success": float(np.linalg.norm(self.goal) == 4)},
        )

    def observe(self):
        place = np.array([float(self.num_steps_done), 0, 0])
        return {"achieved_goal": place, "desired_goal": self.goal.copy()}


class Reuses(MultiGoal):
    """Fills the same arrays again, and alters them before it does."""

    image = np.zeros((48, 48, 3), np.uint8)
    observation_space = spaces.Dict(
        achieved_goal=POINT, desired_goal=POINT, image=spaces.Box(0, 255, (48, 48, 3), np.uint8)
    )

    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.image, self.place, self.goal = np.zeros((48, 48, 3), np.uint8), *np.zeros((2, 3))

    def reset(self, *, seed=None, options=None):
        goal = self.goal
        observation = super().reset(seed=seed)
        goal[:], self.goal = self.np_random.uniform(0, 9, 3), goal
        return observation

    def observe(self):
        self.place[:] = self.num_steps_done, self.start, 0
        self.image[:] = self.start + self.num_steps_done
        return {"achieved_goal": self.place, "desired_goal": self.goal, "image": self.image}


class Owns(Reuses):
    """The same with arrays of its own."""

    def observe(self):
        return {name: part.copy() for name, part in super().observe().items()}


class Strict(Fake):
    """Refuses actions outside of its space."""

    action_space = spaces.Box(
        np.array([-0.1, -0.7, -1.1, 0.05, -2.9]),
        np.array([0.2, 0.3, 0.3, 0.35, 2.8]),
        dtype=np.float64,
    )

    def step(self, action):
        assert self.action_space.contains(action)
        return super().step(action)


class StrictSmall(Strict):
    action_space = spaces.Box(np.float32(-0.1), np.float32(0.2), (2,), np.float32)


class StrictHalf(Strict):
    action_space = spaces.Box(np.float16(-0.1), np.float16(0.7), (2,), np.float16)


class StrictScalar(Strict):
    action_space = spaces.Box(-0.1, 0.3, (), np.float32)


class StrictWhole(Strict):
    action_space = spaces.Box(-1, 3, (2,), np.int64)


class StrictBytes(Strict):
    action_space = spaces.Box(0, 255, (2,), np.uint8)


class StrictBits(Strict):
    action_space = spaces.Box(0, 1, (2,), np.int8)


class FixedGoal(Fake):
    """A multi-goal environment whose goal can't be set, and which is always there."""

    observation_space = MultiGoal.observation_space

    def step(self, action):
        return super().step(action)[0], 0.0, False, False, {"is_success": 1.0}

    def observe(self):
        return {"achieved_goal": np.zeros(3), "desired_goal": np.zeros(3)}


SCENE = """<mujoco>
<asset><material name="green" rgba="0 0.9 0 1"/></asset>
<worldbody>
  <camera name="above" pos="0 -2 2" xyaxes="1 0 0 0 0.7071 0.7071"/>
  <geom type="plane" size="2 2 0.1" rgba="0.4 0.4 0.4 1"/>
  <geom type="box" size="0.2 0.2 0.2" pos="0 0 0.5" rgba="1 0 0 0.2"/>
  <body name="block" pos="0.2 0 0.1"><freejoint/>
    <geom type="box" size="0.1 0.1 0.1" material="green"/></body>
  <body name="cart" pos="-0.5 0 0.1"><joint name="cart" type="slide" axis="1 0 0" damping="5"/>
    <geom type="sphere" size="0.1" rgba="0 0 1 1" contype="0" conaffinity="0"/>
    <camera name="riding"/></body>
  <body name="lead" mocap="true" pos="-0.5 0 0.1"/>
</worldbody>
<equality><weld body1="lead" body2="cart"/></equality>
<actuator><velocity joint="cart" kv="9" ctrlrange="-1 1"/></actuator>
</mujoco>"""


class Scene(gymnasium.Env):
    """A cart on rails and a block; its goal is a position of one of them."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    action_space = spaces.Box(-1, 1, (1,), np.float32)
    observation_space = spaces.Dict(achieved_goal=POINT, desired_goal=POINT)

    def __init__(self, goal_of="block"):
        self.model = mujoco.MjModel.from_xml_string(SCENE)
        self.data, self.goal_of = mujoco.MjData(self.model), goal_of

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        self.data.mocap_pos[0] = -0.5, 0, 0.1
        across = self.np_random.uniform(0.1, 0.4)
        mujoco.mj_forward(self.model, self.data)
        self.goal = {
            "block": np.array([across, 0.5, 0.1]),
            "cart": np.array([-across, 0, 0.1]),
            "impossible": np.array([across, 7.0, 0.1]),
        }[self.goal_of]
        self.render()
        return self.observe(), {}

    def step(self, action):
        mujoco.mj_step(self.model, self.data, nstep=10)
        return self.observe(), 0.0, False, False, {}

    def observe(self):
        body = "block" if self.goal_of == "block" else "cart"
        place = self.data.body(body).xpos.copy()
        return {"achieved_goal": place, "desired_goal": self.goal.copy()}

    def render(self):
        raise AssertionError("the environment was rendered")


class DrivenCart(Scene):
    """A cart that moves by its actions; it counts its steps."""

    action_space = spaces.Box(-1, 1, (3,), np.float32)

    def __init__(self):
        super().__init__("cart")

    def reset(self, **options):
        self.num_steps = 0
        return super().reset(**options)

    def step(self, action):
        self.num_steps += 1
        self.data.mocap_pos[0] += 0.05 * action
        mujoco.mj_step(self.model, self.data, nstep=40)
        return self.observe(), 0.0, False, False, {}


class Rendered(Scene):
    """A scene that may be rendered, all in one grey."""

    def __init__(self, render_mode=None):
        super().__init__()
        self.render_mode = render_mode

    def render(self):
        return np.full((60, 60, 3), 77, np.uint8)


class Endless(Fake):
    pass


class GlobalStart(Fake):
    """Draws its start from NumPy's global random state, as OGBench's cube does."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.start = np.random.randint(100)  # noqa: NPY002
        return self.observe(), {}


class Discrete(Fake):
    action_space = spaces.Discrete(3)


class Unbounded(Fake):
    action_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)


class NoImage(Fake):
    metadata = {"render_modes": []}  # noqa: RUF012


KINDS = (
    Fake,
    ImagesInDict,
    MultiGoal,
    Reuses,
    Owns,
    *(Strict, StrictSmall, StrictHalf, StrictScalar, StrictWhole, StrictBytes, StrictBits),
    FixedGoal,
    Scene,
    DrivenCart,
    Rendered,
    Endless,
    GlobalStart,
    Discrete,
    Unbounded,
    NoImage,
)


@pytest.fixture(autouse=True, scope="module")
def _registered():
    for kind in KINDS:
        limit = None if kind is Endless else NUM_STEPS
        limit = 50 if kind is DrivenCart else limit
        gymnasium.register(f"fake/{kind.__name__}-v0", kind, max_episode_steps=limit)
    for goal_of in ("cart", "impossible"):
        options = {"goal_of": goal_of}
        gymnasium.register(f"fake/{goal_of}-v0", Scene, max_episode_steps=20, kwargs=options)
    yield
    for id_ in [id_ for id_ in registry if id_.startswith("fake/")]:
        del registry[id_]


@pytest.fixture
def make():
    """Make external environments, and close them after the test."""
    made = []

    def call(name, num=2, seed=0, **options):
        spec = EnvSpec(id=f"fake/{name}-v0", **options)
        made.append(make_external_envs(spec, num, 48, seed=seed))
        return made[-1]

    yield call
    for envs in made:
        envs.close()


def act(envs, value=0.0):
    return envs.step(np.full((envs.num_envs, envs.action_size), value, np.float32))


def make_goals(envs):
    return envs.goals(3, rng=np.random.default_rng(7))


@pytest.mark.parametrize(("ours", "theirs"), [(-1, 2), (-5, 2), (0, 4), (1, 6)])
def test_actions_are_scaled_to_the_action_space(make, ours, theirs):
    envs = make("Fake", num=1)
    act(envs, ours)
    action = envs.external_envs[0].env.unwrapped.actions[-1]
    np.testing.assert_array_equal(action, np.full((1, 2), theirs, np.float32))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, Strict)])
@pytest.mark.filterwarnings("error")
def test_action_is_always_inside_the_action_space(make, rng, kind):
    envs = make(kind.__name__, num=1)
    shape = (1, envs.action_size)
    for action in [np.full(shape, end) for end in (-9, -1, 0, 1, 9)] + [
        rng.uniform(-1, 1, shape) for _ in range(100)
    ]:
        envs.external_envs[0].step(action[0].astype(np.float32))


@pytest.mark.parametrize(("ours", "theirs"), [(-1, -1), (-0.8, -1), (0.2, 1), (0.3, 2), (1, 3)])
def test_whole_numbers_are_rounded_to_the_nearest(make, ours, theirs):
    envs = make("StrictWhole", num=1)
    act(envs, ours)
    assert envs.external_envs[0].env.unwrapped.actions[-1].tolist() == [theirs, theirs]


def test_environment_that_fills_its_arrays_again_is_seen_as_one_that_does_not(make):
    one, other = make("Reuses", num=3), make("Owns", num=3)
    goals = [envs.goals(12, rng=np.random.default_rng(7)) for envs in (one, other)]
    assert len(np.unique(goals[1].states, axis=0)) > 9
    np.testing.assert_array_equal(goals[0].states, goals[1].states)
    np.testing.assert_array_equal(goals[0].images, goals[1].images)
    seen = [envs.reset(seed=1) for envs in (one, other)]
    external = one.external_envs[0]
    kept = external.observation["image"].copy(), external.achieved, external.desired
    external.env.unwrapped.step(np.zeros((1, 2)))
    external.env.unwrapped.goal[:] = 99
    np.testing.assert_array_equal(external.observation["image"], kept[0])
    np.testing.assert_array_equal(external.achieved, kept[1])
    assert (external.desired != 99).all()
    for name in ("observation", "desired_goal"):
        np.testing.assert_array_equal(seen[0][0][name], seen[1][0][name])


def test_goals_that_a_caller_alters_later_are_those_that_were_given(make):
    envs = make("MultiGoal")
    goals = make_goals(envs).rows([0, 1])
    envs.reset(options=goals.options())
    before = goals.images.copy()
    goals.images[:] = 99
    np.testing.assert_array_equal(act(envs)[0]["desired_goal"], before)
    states = act(envs)[-1]["goal_state"]
    before = states.copy()
    states[:] = 99
    np.testing.assert_array_equal(act(envs)[-1]["goal_state"], before)


def test_action_that_is_not_finite_never_reaches_the_environment(make):
    envs = make("Fake")
    with pytest.raises(DivergedError, match="not finite"):
        act(envs, np.nan)
    assert not envs.external_envs[0].env.unwrapped.actions


def test_rendered_image_is_its_middle_square_with_pixels_averaged(make):
    envs = make("Fake", num=1)
    image = act(envs)[0]["observation"][0]
    assert image.shape == (48, 48, 3)
    np.testing.assert_array_equal(image[..., 0], 101)


def test_image_in_the_observation_is_used_as_it_is(make):
    assert (make("ImagesInDict").reset()[0]["observation"] == 10).all()
    assert (make("ImagesInDict", camera="side").reset()[0]["observation"] == 30).all()


def test_images_that_were_not_chosen_are_named(make):
    assert make("ImagesInDict", camera="front").notes == ()
    assert "front, side: --camera NAME" in make("ImagesInDict").notes[0]


def test_own_render_can_be_chosen_in_place_of_the_ray_camera(make):
    envs = make("Rendered", camera="render")
    assert (envs.reset()[0]["observation"] == 77).all()
    assert envs.renderer == "render, rgb_array"
    assert make("Rendered").renderer.startswith("mj_multiRay")


@pytest.mark.parametrize("name", ["Fake", "GlobalStart"])
def test_seed_decides_the_start_of_all_episodes(make, name):
    def starts(seed):
        envs = make(name, seed=seed)
        return [envs.reset()[0]["observation"][:, 24, 24, 1].tolist() for _ in range(3)]

    assert starts(1) == starts(1)
    assert starts(1) != starts(2)
    assert len({tuple(pair) for pair in starts(1)}) == 3


def test_environment_whose_episode_ended_stays_until_it_is_reset(make):
    envs = make("Fake", num=8)
    starts = envs.reset()[0]["observation"][:, 24, 24, 1]
    for _ in range(NUM_STEPS):
        observation, _, terminated, truncated, _ = act(envs)
    assert terminated.tolist() == (starts % 2 == 0).tolist()
    assert truncated.tolist() == (starts % 2 == 1).tolist()
    shown = observation["observation"][:, 24, 24, 0]
    assert shown.tolist() == [103 if early else 100 + NUM_STEPS for early in terminated]
    fresh = envs.reset(options={"reset_mask": terminated})[0]["observation"]
    assert (fresh[terminated, 24, 24, 0] == 100).all()
    assert (fresh[truncated, 24, 24, 0] == 100 + NUM_STEPS).all()


def test_time_limit_can_be_given(make):
    envs = make("Endless", num=1, num_steps=2)
    assert envs.spec.max_episode_steps == 2
    assert not act(envs)[3][0]
    assert act(envs)[3][0]


def test_multi_goal_environment_is_measured_by_its_own_goal(make):
    envs = make("MultiGoal", num=1)
    assert envs.reset()[1]["goal_distance_m"] == 3
    for _ in range(4):
        info = act(envs)[-1]
    assert info["goal_distance_m"] == 5
    assert info["is_success"] == 0


def test_goal_of_a_multi_goal_environment_is_set(make):
    envs = make("MultiGoal")
    goals = make_goals(envs).rows([0, 1])
    goals.states[:] = (0, 0, 4)
    info = envs.reset(options=goals.options())[1]
    assert info["goal_distance_m"].tolist() == [4, 4]
    assert act(envs)[-1]["is_success"].tolist() == [1, 1]


def test_success_is_nan_if_the_goal_can_not_be_set(make):
    envs = make("FixedGoal")
    assert act(envs)[-1]["is_success"].tolist() == [1, 1]
    envs.reset(options=make_goals(envs).rows([0, 1]).options())
    assert np.isnan(act(envs)[-1]["is_success"]).all()


def test_other_environments_are_measured_by_the_difference_of_images(make):
    envs = make("ImagesInDict")
    assert envs.state_names == ()
    goals = make_goals(envs).rows([0, 1])
    goals.images[1] += 4
    observation, info = envs.reset(options=goals.options())
    np.testing.assert_array_equal(observation["desired_goal"], goals.images)
    assert info["image_distance_levels"].tolist() == [0, 4]


def test_global_random_state_of_numpy_stays_as_it_was(make):
    np.random.seed(5)  # noqa: NPY002
    expected = np.random.random()  # noqa: NPY002
    envs = make("GlobalStart")
    np.random.seed(5)  # noqa: NPY002
    envs.reset()
    assert np.random.random() == expected  # noqa: NPY002


@pytest.mark.parametrize("name", ["Fake", "GlobalStart"])
def test_goal_is_tried_from_the_start_that_it_was_reached_from(make, name):
    envs = make(name)
    goals = make_goals(envs)
    observation, _ = envs.reset(options=goals.rows([1, 2]).options())
    reached = goals.images[1:, 24, 24, 1]
    np.testing.assert_array_equal(observation["observation"][:, 24, 24, 1], reached)


def test_first_goals_do_not_depend_on_the_number_of_goals_or_environments(make):
    few, many = make_goals(make("Fake")), make("Fake", num=5).goals(8, rng=_rng(7))
    np.testing.assert_array_equal(few.images, many.images[:3])
    np.testing.assert_array_equal(few.seeds, many.seeds[:3])


def _rng(seed):
    return np.random.default_rng(seed)


def test_error_for_unknown_reset_options_names_them(make):
    with pytest.raises(TaskError, match="goal_state"):
        make("Fake").reset(options={"goal_state": np.zeros((2, 3))})


@pytest.mark.parametrize(("name", "body"), [("Scene", "block"), ("cart", "cart")])
def test_object_is_put_at_the_goal_of_the_scene(make, name, body):
    envs = make(name)
    goals = make_goals(envs)
    for row in range(3):
        inside = envs.external_envs[0].env.unwrapped
        inside.reset(seed=int(goals.seeds[row]))
        assert np.linalg.norm(goals.states[row] - inside.goal) < 0.01
    column = {"block": 1, "cart": 2}[body]
    assert (goals.images[..., column] > goals.images[..., 0] + 50).any()


def test_hand_moves_to_its_goal_by_actions_if_it_can(make):
    envs = make("DrivenCart", num=1)
    goals = envs.goals(1, rng=np.random.default_rng(7))
    inside = envs.external_envs[0].env.unwrapped
    assert inside.num_steps > 3
    assert np.linalg.norm(goals.states[0] - inside.goal) < 0.01


def test_goal_is_reached_by_a_random_policy_if_nothing_else_works(make):
    goals = make_goals(make("impossible"))
    np.testing.assert_allclose(goals.states[:, 1], 0, atol=1e-6)


def test_mujoco_scene_is_seen_by_the_ray_camera(make):
    image = make("Scene", num=1).reset()[0]["observation"][0].astype(int)
    is_green = (image[..., 1] > 100) & (image[..., 0] < 50)
    is_blue = (image[..., 2] > 100) & (image[..., 0] < 50)
    is_red = (image[..., 0] > 100) & (image[..., 1] < 50)
    assert is_green.any()  # the colour of a material
    assert is_blue.any()
    assert not is_red.any()  # a see-through geom is mixed with the grey behind it


def test_geom_that_was_static_is_seen_when_it_moves(make):
    envs = make("Scene", num=2)
    before = envs.reset()[0]["observation"]
    inside = envs.external_envs[1].env.unwrapped
    inside.data.qpos[:3] += (0.3, 0, 0)
    after = envs.image_source.images(envs.external_envs)
    fresh = make("Scene", num=1)
    fresh.external_envs[0].env.unwrapped.data.qpos[:3] += (0.3, 0, 0)
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[1] != before[1]).any()
    np.testing.assert_array_equal(after[1], fresh.image_source.images(fresh.external_envs)[0])


@pytest.fixture
def make_large(make):
    """An environment with images large enough to show a small rotation."""

    def call():
        envs = make("Scene", num=1)
        envs.image_source = ray_caster.RayCasterSource(240, "")
        envs.reset()
        return envs

    return call


def put_block(envs, turn_rad, across_m=0.0):
    """Rotate and move the block of the first environment, and return the images."""
    qpos = envs.external_envs[0].env.unwrapped.data.qpos
    qpos[0] = 0.2 + across_m
    qpos[3:7] = np.cos(turn_rad / 2), 0, np.sin(turn_rad / 2), 0
    return envs.image_source.images(envs.external_envs)


@pytest.mark.parametrize(
    ("least", "turn_rad"),
    [(scene_renderer.MIN_MOTION, 9e-4), (scene_renderer.MIN_MOTION, 2e-2), (5e-2, 4e-2)],
    ids=["small", "large", "below the threshold"],
)
def test_image_does_not_depend_on_what_has_moved_before(
    make_large, monkeypatch, least, turn_rad
):
    monkeypatch.setattr(scene_renderer, "MIN_MOTION", least)
    envs = make_large()
    start = put_block(envs, 0.0)
    before = put_block(envs, turn_rad)
    put_block(envs, turn_rad, across_m=0.3)
    np.testing.assert_array_equal(put_block(envs, turn_rad), before)
    np.testing.assert_array_equal(put_block(envs, 0.0), start)


def test_small_motion_is_seen_as_by_a_source_made_after_it(make_large):
    envs, fresh = make_large(), make_large()
    fresh.image_source = ray_caster.RayCasterSource(240, "")
    np.testing.assert_array_equal(put_block(envs, 9e-4), put_block(fresh, 9e-4))


def test_scene_without_materials_has_the_colours_of_its_geoms():
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><geom size='1' rgba='1 0 0 1'/><geom size='1'/></worldbody>"
        "</mujoco>"
    )
    shown = appearance.colours(model, model.geom_rgba, model.geom_matid)
    assert shown.tolist() == [[1, 0, 0, 1], [0.5, 0.5, 0.5, 1]]


def test_camera_of_the_scene_and_the_same_camera_in_words_see_the_same(make):
    root = 2 * np.sqrt(2)
    words = f"lookat 0 0 0 distance {root} elevation -45 azimuth 90 fovy 45"
    images = [
        make("Scene", num=1, camera=camera).reset()[0]["observation"].astype(int)
        for camera in ("", "above", words)
    ]
    np.testing.assert_array_equal(images[0], images[1])
    assert (abs(images[1] - images[2]).max(axis=-1) > 3).mean() < 0.01


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Discrete", {}, "its actions are Discrete"),
        ("Unbounded", {}, "has no bounds"),
        ("NoImage", {}, "it has no image"),
        ("Endless", {}, "give --episode-steps"),
        ("Fakee", {}, "there is no environment 'fake/Fakee-v0'"),
        ("ImagesInDict", {"camera": "sid"}, "no image 'sid': did you mean 'side'"),
        ("Scene", {"camera": "abov"}, "did you mean 'above'"),
        ("Scene", {"camera": "riding"}, "'riding' moves"),
        ("Scene", {"camera": "lookat 0 0 0 distance 1"}, "is not a camera: give 'lookat X Y Z"),
        ("Scene", {"camera": "lookat 0 0 distance 1 elevation 1 azimuth 1"}, "is not a camera"),
        (
            "Scene",
            {"camera": "lookat 0 0 0 distance 1 elevation -90 azimuth 1"},
            "elevation -90",
        ),
    ],
)
def test_error_for_an_unusable_environment_says_why(make, name, options, message):
    with pytest.raises(ExternalEnvError, match=message) as caught:
        make(name, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("id_", "message"),
    [
        ("no_such_module:X-v0", "no module 'no_such_module'"),
        ("gymnasium_robotics:FetchReach-v4", r"pip install 'imagined-goals\[robotics\]'"),
        ("ogbench:visual-cube-single-v0", r"pip install 'imagined-goals\[ogbench\]'"),
    ],
)
def test_error_for_a_missing_library_says_what_installs_it(monkeypatch, id_, message):
    def is_missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("rig.external.make.import_module", is_missing)
    with pytest.raises(ExternalEnvError, match=message):
        make_external_envs(EnvSpec(id=id_), 1, 48, seed=0)


def test_pendulum_is_seen_by_its_own_render():
    pytest.importorskip("pygame", reason="Pendulum draws itself with pygame")
    envs = make_external_envs(EnvSpec(id="Pendulum-v1"), 2, 48, seed=0)
    first = envs.reset()[0]["observation"]
    assert (envs.num_steps, envs.action_size) == (200, 1)
    assert (act(envs, 1.0)[0]["observation"] != first).any()
    envs.close()


ACTION_SIZES = {
    "gymnasium_robotics:FetchReach-v4": ("gymnasium_robotics", 4),
    "gymnasium_robotics:FetchPush-v4": ("gymnasium_robotics", 4),
    "ogbench:visual-cube-single-v0": ("ogbench", 5),
}


@pytest.mark.slow
@pytest.mark.parametrize("id_", ACTION_SIZES)
@pytest.mark.filterwarnings("ignore")
def test_environments_of_other_libraries_work(id_):
    library, action_size = ACTION_SIZES[id_]
    pytest.importorskip(library, reason=f"{library} is an extra, and not installed")
    envs = make_external_envs(EnvSpec(id=id_), 2, 48, seed=0)
    assert envs.action_size == action_size
    goals = make_goals(envs)
    for row, seed in enumerate(goals.seeds if "Fetch" in id_ else []):
        envs.external_envs[0].reset(int(seed))
        assert np.linalg.norm(envs.external_envs[0].desired - goals.states[row]) < 0.01
    assert len(np.unique(Image.fromarray(goals.images[0]).convert("L"))) > 5
    envs.close()


def used(kind):
    """Return two environments, of ours or of someone's, in the middle of an episode."""
    if kind == "ours":
        envs = gymnasium.make_vec("rig/Push-v0", num_envs=2)
        envs.reset(seed=0)
    else:
        envs = make_external_envs(EnvSpec(id=f"fake/{kind}-v0"), 2, 48, seed=0)
    stepped(envs)
    return envs


def stepped(envs):
    return envs.step(np.ones(envs.action_space.shape, np.float32))[0]["observation"]


def pickled(envs):
    return pickle.loads(pickle.dumps(envs))


@pytest.mark.parametrize("kind", ["ours", "DrivenCart", "Rendered", "Reuses"])
@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_copied_or_pickled_environments_continue_with_the_same_bytes(kind, copied):
    envs = used(kind)
    other = copied(envs)
    seen = stepped(other)
    np.testing.assert_array_equal(seen, stepped(envs))
    envs.close()
    other.close()


FORK = """
import multiprocessing, os, sys, gymnasium
from test_external import DrivenCart, stepped, used

gymnasium.register("fake/DrivenCart-v0", DrivenCart, max_episode_steps=50)
context = multiprocessing.get_context("fork")
for kind in ("ours", "DrivenCart"):
    envs = used(kind)
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put(stepped(envs).tobytes()), daemon=True)
    child.start()
    child.join(20)
    assert child.exitcode == 0, (kind, child.exitcode)
    assert queue.get() == stepped(envs).tobytes(), kind
"""


def test_environments_used_before_a_fork_work_in_the_child():
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
