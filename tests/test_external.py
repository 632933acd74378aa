import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import registry
from PIL import Image

from rig.errors import DivergedError, ExternalEnvError, TaskError
from rig.external import image_source as image_source
from rig.external.make import EnvSpec, make_external_envs


NUM_STEPS = 6
PLACE = spaces.Box(-9, 9, (3,), np.float64)


class Fake(gymnasium.Env):
    """Counts its steps; an action is in [2, 6] and adds to its place."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012
    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Box(2, 6, (1, 2), np.float32)

    def __init__(self, render_mode=None):
        self.render_mode, self.told = render_mode, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.num_steps_done = 0
        self.start = int(self.np_random.integers(100))
        return self.see(), {}

    def step(self, action):
        self.told.append(action)
        self.num_steps_done += 1
        return self.see(), 5.0, self.start % 2 == 0 and self.num_steps_done == 3, False, {}

    def see(self):
        return np.zeros(1, np.float32)

    def render(self):
        """Left half and right half of each pixel of 2 x 2 differ by the step; bars around."""
        picture = np.zeros((96, 120, 3), np.uint8)
        picture[:, 12:108:2] = 100
        picture[:, 13:108:2] = 100 + 2 * self.num_steps_done
        picture[:, 12:108, 1] = self.start
        return picture


class InDict(Fake):
    """Its pictures are parts of its observation."""

    grey = spaces.Box(0, 255, (48, 48, 3), np.uint8)
    observation_space = spaces.Dict(joints=PLACE, front=grey, side=grey)

    def see(self):
        front = np.full((48, 48, 3), 10, np.uint8)
        return {"joints": np.zeros(3), "front": front, "side": 3 * front}


class Asking(Fake):
    """A multi-goal environment: it is at (steps, 0, 0)."""

    observation_space = spaces.Dict(achieved_goal=PLACE, desired_goal=PLACE)

    def reset(self, *, seed=None, options=None):
        self.goal = np.array([0.0, 3.0, 0.0])
        return super().reset(seed=seed)

    def step(self, action):
        seen = super().step(action)[0]
        return seen, 0.0, False, False, {"is_success": float(np.linalg.norm(self.goal) == 4)}

    def see(self):
        place = np.array([float(self.num_steps_done), 0, 0])
        return {"achieved_goal": place, "desired_goal": self.goal.copy()}


class Deaf(Fake):
    """A multi-goal environment whose goal nobody can set: it is always there."""

    observation_space = Asking.observation_space

    def step(self, action):
        return super().step(action)[0], 0.0, False, False, {"is_success": 1.0}

    def see(self):
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
    """A cart on rails, and a block beside it; it asks for a place of one of them."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    action_space = spaces.Box(-1, 1, (1,), np.float32)
    observation_space = spaces.Dict(achieved_goal=PLACE, desired_goal=PLACE)

    def __init__(self, asked="block"):
        self.model = mujoco.MjModel.from_xml_string(SCENE)
        self.data, self.asked = mujoco.MjData(self.model), asked

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        mujoco.mj_resetData(self.model, self.data)
        self.data.mocap_pos[0] = -0.5, 0, 0.1
        across = self.np_random.uniform(0.1, 0.4)
        mujoco.mj_forward(self.model, self.data)
        self.goal = {
            "block": np.array([across, 0.5, 0.1]),
            "cart": np.array([-across, 0, 0.1]),
            "nowhere": np.array([across, 7.0, 0.1]),
        }[self.asked]
        self.render()
        return self.see(), {}

    def step(self, action):
        mujoco.mj_step(self.model, self.data, nstep=10)
        return self.see(), 0.0, False, False, {}

    def see(self):
        thing = "block" if self.asked == "block" else "cart"
        place = self.data.body(thing).xpos.copy()
        return {"achieved_goal": place, "desired_goal": self.goal.copy()}

    def render(self):
        raise AssertionError("OpenGL was asked for")


class Going(Scene):
    """A cart that goes where its actions point, as far as it is told; it counts its steps."""

    action_space = spaces.Box(-1, 1, (3,), np.float32)

    def __init__(self):
        super().__init__("cart")

    def reset(self, **how):
        self.num_steps = 0
        return super().reset(**how)

    def step(self, action):
        self.num_steps += 1
        self.data.mocap_pos[0] += 0.05 * action
        mujoco.mj_step(self.model, self.data, nstep=40)
        return self.see(), 0.0, False, False, {}


class Endless(Fake):
    pass


class Wordy(Fake):
    action_space = spaces.Discrete(3)


class Unbound(Fake):
    action_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)


class Blind(Fake):
    metadata = {"render_modes": []}  # noqa: RUF012


KINDS = (Fake, InDict, Asking, Deaf, Scene, Going, Endless, Wordy, Unbound, Blind)


@pytest.fixture(autouse=True, scope="module")
def _registered():
    for kind in KINDS:
        limit = None if kind is Endless else NUM_STEPS
        limit = 50 if kind is Going else limit
        gymnasium.register(f"fake/{kind.__name__}-v0", kind, max_episode_steps=limit)
    for asked in ("cart", "nowhere"):
        options = {"asked": asked}
        gymnasium.register(f"fake/{asked}-v0", Scene, max_episode_steps=20, kwargs=options)
    yield
    for id_ in [id_ for id_ in registry if id_.startswith("fake/")]:
        del registry[id_]


@pytest.fixture
def welcome():
    """Invites guests, and sends them home after the test."""
    came = []

    def call(name, num=2, seed=0, **how):
        external_envs = make_external_envs(
            EnvSpec(id=f"fake/{name}-v0", **how), num, 48, seed=seed
        )
        came.append(external_envs)
        return external_envs

    yield call
    for external_envs in came:
        external_envs.close()


def act(external_envs, value=0.0):
    return external_envs.step(
        np.full((external_envs.num_envs, external_envs.action_size), value, np.float32)
    )


def wandered(external_envs):
    return external_envs.goals(3, rng=np.random.default_rng(7))


@pytest.mark.parametrize(("ours", "theirs"), [(-1, 2), (-5, 2), (0, 4), (1, 6)])
def test_actions_fill_the_range_of_the_guest(welcome, ours, theirs):
    external_envs = welcome("Fake", num=1)
    act(external_envs, ours)
    told = external_envs.external_envs[0].env.unwrapped.told[-1]
    np.testing.assert_array_equal(told, np.full((1, 2), theirs, np.float32))


def test_a_broken_action_never_reaches_the_guest(welcome):
    external_envs = welcome("Fake")
    with pytest.raises(DivergedError, match="not finite"):
        act(external_envs, np.nan)
    assert not external_envs.external_envs[0].env.unwrapped.told


def test_a_rendered_picture_is_its_middle_with_pixels_averaged(welcome):
    external_envs = welcome("Fake", num=1)
    image = act(external_envs)[0]["observation"][0]
    assert image.shape == (48, 48, 3)
    np.testing.assert_array_equal(image[..., 0], 101)


def test_pictures_in_observations_are_seen_as_they_are(welcome):
    assert (welcome("InDict").reset()[0]["observation"] == 10).all()
    assert (welcome("InDict", camera="side").reset()[0]["observation"] == 30).all()


def test_seed_decides_where_all_episodes_start(welcome):
    def starts(seed):
        external_envs = welcome("Fake", seed=seed)
        return [
            external_envs.reset()[0]["observation"][:, 24, 24, 1].tolist() for _ in range(3)
        ]

    assert starts(1) == starts(1)
    assert starts(1) != starts(2)
    assert len({tuple(pair) for pair in starts(1)}) == 3


def test_a_world_that_ended_stays_until_it_is_reset(welcome):
    external_envs = welcome("Fake", num=8)
    starts = external_envs.reset()[0]["observation"][:, 24, 24, 1]
    for _ in range(NUM_STEPS):
        observation, _, terminated, truncated, _ = act(external_envs)
    assert terminated.tolist() == (starts % 2 == 0).tolist()
    assert truncated.tolist() == (starts % 2 == 1).tolist()
    shown = observation["observation"][:, 24, 24, 0]
    assert shown.tolist() == [103 if ended else 100 + NUM_STEPS for ended in terminated]
    fresh = external_envs.reset(options={"reset_mask": terminated})[0]["observation"]
    assert (fresh[terminated, 24, 24, 0] == 100).all()
    assert (fresh[truncated, 24, 24, 0] == 100 + NUM_STEPS).all()


def test_an_episode_is_as_long_as_is_told(welcome):
    external_envs = welcome("Endless", num=1, num_steps=2)
    assert not act(external_envs)[3][0]
    assert act(external_envs)[3][0]


def test_a_multi_goal_guest_is_measured_by_its_own_distance(welcome):
    external_envs = welcome("Asking", num=1)
    assert external_envs.reset()[1]["goal_distance_m"] == 3
    for _ in range(4):
        info = act(external_envs)[-1]
    assert info["goal_distance_m"] == 5
    assert info["is_success"] == 0


def test_a_multi_goal_guest_is_told_the_goal_that_is_tried(welcome):
    external_envs = welcome("Asking")
    goals = wandered(external_envs).rows([0, 1])
    goals.states[:] = (0, 0, 4)
    info = external_envs.reset(options=goals.options())[1]
    assert info["goal_distance_m"].tolist() == [4, 4]
    assert act(external_envs)[-1]["is_success"].tolist() == [1, 1]


def test_success_is_not_told_of_another_goal_than_the_one_that_is_tried(welcome):
    external_envs = welcome("Deaf")
    assert act(external_envs)[-1]["is_success"].tolist() == [1, 1]
    external_envs.reset(options=wandered(external_envs).rows([0, 1]).options())
    assert np.isnan(act(external_envs)[-1]["is_success"]).all()


def test_any_other_guest_is_measured_by_the_difference_of_pictures(welcome):
    external_envs = welcome("InDict")
    assert external_envs.state_names == ()
    goals = wandered(external_envs).rows([0, 1])
    goals.images[1] += 4
    observation, info = external_envs.reset(options=goals.options())
    np.testing.assert_array_equal(observation["desired_goal"], goals.images)
    assert info["picture_distance_levels"].tolist() == [0, 4]


def test_a_goal_is_tried_from_the_start_that_it_was_reached_from(welcome):
    external_envs = welcome("Fake")
    goals = wandered(external_envs)
    observation, _ = external_envs.reset(options=goals.rows([1, 2]).options())
    reached = goals.images[1:, 24, 24, 1]
    np.testing.assert_array_equal(observation["observation"][:, 24, 24, 1], reached)


def test_goals_are_the_same_however_many_and_however_made(welcome):
    few, many = wandered(welcome("Fake")), welcome("Fake", num=5).goals(8, rng=_rng(7))
    np.testing.assert_array_equal(few.images, many.images[:3])
    np.testing.assert_array_equal(few.seeds, many.seeds[:3])


def _rng(seed):
    return np.random.default_rng(seed)


def test_options_of_a_reset_that_are_unknown_are_named(welcome):
    with pytest.raises(TaskError, match="goal_state"):
        welcome("Fake").reset(options={"goal_state": np.zeros((2, 3))})


@pytest.mark.parametrize(("name", "thing"), [("Scene", "block"), ("cart", "cart")])
def test_things_are_put_at_the_goal_that_a_scene_asks_for(welcome, name, thing):
    external_envs = welcome(name)
    goals = wandered(external_envs)
    for row in range(3):
        inside = external_envs.external_envs[0].env.unwrapped
        inside.reset(seed=int(goals.seeds[row]))
        assert np.linalg.norm(goals.states[row] - inside.goal) < 0.01
    column = {"block": 1, "cart": 2}[thing]
    assert (goals.images[..., column] > goals.images[..., 0] + 50).any()


def test_a_hand_that_can_go_to_its_goal_goes_there_itself(welcome):
    external_envs = welcome("Going", num=1)
    goals = external_envs.goals(1, rng=np.random.default_rng(7))
    inside = external_envs.external_envs[0].env.unwrapped
    assert inside.num_steps > 3
    assert np.linalg.norm(goals.states[0] - inside.goal) < 0.01


def test_what_can_not_be_put_at_a_goal_is_where_a_random_policy_brought_it(welcome):
    goals = wandered(welcome("nowhere"))
    np.testing.assert_allclose(goals.states[:, 1], 0, atol=1e-6)


def test_a_scene_is_seen_without_its_own_renderer(welcome):
    image = welcome("Scene", num=1).reset()[0]["observation"][0].astype(int)
    is_green = (image[..., 1] > 100) & (image[..., 0] < 50)
    is_blue = (image[..., 2] > 100) & (image[..., 0] < 50)
    is_red = (image[..., 0] > 100) & (image[..., 1] < 50)
    assert is_green.any()  # the colour of a material
    assert is_blue.any()
    assert not is_red.any()  # a ghost is not seen


def test_what_has_stood_still_is_seen_when_it_moves(welcome):
    external_envs = welcome("Scene", num=2)
    before = external_envs.reset()[0]["observation"]
    inside = external_envs.external_envs[1].env.unwrapped
    inside.data.qpos[:3] += (0.3, 0, 0)
    after = external_envs.image_source.look(external_envs.external_envs)
    fresh = welcome("Scene", num=1)
    fresh.external_envs[0].env.unwrapped.data.qpos[:3] += (0.3, 0, 0)
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[1] != before[1]).any()
    np.testing.assert_array_equal(after[1], fresh.image_source.look(fresh.external_envs)[0])


@pytest.fixture
def sharp(welcome):
    """Worlds of a scene whose pictures are large enough for a small turn to show."""

    def call():
        external_envs = welcome("Scene", num=1)
        external_envs.image_source = image_source.RayCasterSource(240, "")
        external_envs.reset()
        return external_envs

    return call


def put_block(external_envs, turn_rad, across_m=0.0):
    """Turns the block of the first world, puts it aside, and looks."""
    place = external_envs.external_envs[0].env.unwrapped.data.qpos
    place[0] = 0.2 + across_m
    place[3:7] = np.cos(turn_rad / 2), 0, np.sin(turn_rad / 2), 0
    return external_envs.image_source.look(external_envs.external_envs)


@pytest.mark.parametrize(
    ("least", "turn_rad"),
    [(image_source.LEAST_MOTION, 9e-4), (image_source.LEAST_MOTION, 2e-2), (5e-2, 4e-2)],
    ids=["a little", "far", "not to speak of"],
)
def test_picture_does_not_depend_on_what_has_moved_before(sharp, monkeypatch, least, turn_rad):
    monkeypatch.setattr(image_source, "LEAST_MOTION", least)
    external_envs = sharp()
    start = put_block(external_envs, 0.0)
    before = put_block(external_envs, turn_rad)
    put_block(external_envs, turn_rad, across_m=0.3)
    np.testing.assert_array_equal(put_block(external_envs, turn_rad), before)
    np.testing.assert_array_equal(put_block(external_envs, 0.0), start)


def test_a_small_motion_is_seen_as_by_eyes_that_open_after_it(sharp):
    external_envs, fresh = sharp(), sharp()
    fresh.image_source = image_source.RayCasterSource(240, "")
    np.testing.assert_array_equal(put_block(external_envs, 9e-4), put_block(fresh, 9e-4))


def test_scene_without_materials_has_the_colours_of_its_geoms():
    model = mujoco.MjModel.from_xml_string(
        "<mujoco><worldbody><geom size='1' rgba='1 0 0 1'/><geom size='1'/></worldbody>"
        "</mujoco>"
    )
    assert image_source.colours(model).tolist() == [[1, 0, 0, 1], [0.5, 0.5, 0.5, 1]]


def test_a_camera_of_the_scene_and_the_same_one_told_see_the_same(welcome):
    root = 2 * np.sqrt(2)
    told = f"lookat 0 0 0 distance {root} elevation -45 azimuth 90 fovy 45"
    images = [
        welcome("Scene", num=1, camera=camera).reset()[0]["observation"].astype(int)
        for camera in ("", "above", told)
    ]
    np.testing.assert_array_equal(images[0], images[1])
    assert (abs(images[1] - images[2]).max(axis=-1) > 3).mean() < 0.01


@pytest.mark.parametrize(
    ("name", "how", "message"),
    [
        ("Wordy", {}, "its actions are Discrete"),
        ("Unbound", {}, "has no bounds"),
        ("Blind", {}, "it has no picture"),
        ("Endless", {}, "give --episode-steps"),
        ("Fakee", {}, "there is no environment 'fake/Fakee-v0'"),
        ("InDict", {"camera": "sid"}, "no picture 'sid': did you mean 'side'"),
        ("Scene", {"camera": "abov"}, "did you mean 'above'"),
        ("Scene", {"camera": "riding"}, "'riding' moves"),
        ("Scene", {"camera": "lookat 0 0 0 distance 1"}, "is no camera: give 'lookat X Y Z"),
        ("Scene", {"camera": "lookat 0 0 distance 1 elevation 1 azimuth 1"}, "is no camera"),
        (
            "Scene",
            {"camera": "lookat 0 0 0 distance 1 elevation -90 azimuth 1"},
            "elevation -90",
        ),
    ],
)
def test_who_can_not_come_is_told_why(welcome, name, how, message):
    with pytest.raises(ExternalEnvError, match=message) as caught:
        welcome(name, **how)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("id_", "message"),
    [
        ("no_such_module:X-v0", "no module 'no_such_module'"),
        ("gymnasium_robotics:FetchReach-v4", r"pip install 'imagined-goals\[robotics\]'"),
        ("ogbench:visual-cube-single-v0", r"pip install 'imagined-goals\[ogbench\]'"),
    ],
)
def test_a_missing_library_is_named_with_what_installs_it(monkeypatch, id_, message):
    def is_missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("rig.external.make.import_module", is_missing)
    with pytest.raises(ExternalEnvError, match=message):
        make_external_envs(EnvSpec(id=id_), 1, 48, seed=0)


def test_pendulum_is_seen_as_it_draws_itself():
    pytest.importorskip("pygame", reason="Pendulum draws itself with pygame")
    external_envs = make_external_envs(EnvSpec(id="Pendulum-v1"), 2, 48, seed=0)
    first = external_envs.reset()[0]["observation"]
    assert (external_envs.num_steps, external_envs.action_size) == (200, 1)
    assert (act(external_envs, 1.0)[0]["observation"] != first).any()
    external_envs.close()


LENT = {
    "gymnasium_robotics:FetchReach-v4": ("gymnasium_robotics", 4),
    "gymnasium_robotics:FetchPush-v4": ("gymnasium_robotics", 4),
    "ogbench:visual-cube-single-v0": ("ogbench", 5),
}


@pytest.mark.slow
@pytest.mark.parametrize("id_", LENT)
@pytest.mark.filterwarnings("ignore")
def test_environments_of_others_come_as_they_are(id_):
    library, action_size = LENT[id_]
    pytest.importorskip(library, reason=f"{library} is an extra, and not installed")
    external_envs = make_external_envs(EnvSpec(id=id_), 2, 48, seed=0)
    assert external_envs.action_size == action_size
    goals = wandered(external_envs)
    for row, seed in enumerate(goals.seeds if "Fetch" in id_ else []):
        external_envs.external_envs[0].begin(int(seed))
        assert np.linalg.norm(external_envs.external_envs[0].desired - goals.states[row]) < 0.01
    assert len(np.unique(Image.fromarray(goals.images[0]).convert("L"))) > 5
    external_envs.close()
