"""Environments that raise errors, break rules, or show nothing that moves."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.registration import registry

from rig.cli.main import main
from rig.errors import EnvFailedError, NotEnoughDataError
from rig.external.make import EnvSpec, make_external_envs
from rig.external.vector_env import FRAMES_PER_S
from rig.representation.probe import distance_correlation
from rig.training.collect import check_motion
from rig.training.run_training import how_to_resume, start_run, train_run
from rig.types import Collected


IMAGE = spaces.Box(0, 255, (48, 48, 3), np.uint8)
ACTIONS = spaces.Box(-1, 1, (2,), np.float32)


class Works(gymnasium.Env):
    """Works, and its picture changes from step to step."""

    observation_space, action_space = IMAGE, ACTIONS
    num_steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observe(), {}

    def step(self, action):
        self.num_steps += 1
        return self.observe(), 0.0, False, False, {}

    def observe(self):
        return np.full((48, 48, 3), self.num_steps % 256, np.uint8)


class RaisesAtMake(Works):
    def __init__(self):
        raise ImportError("libarm.so: no such file")


class NeedsModule(Works):
    def __init__(self):
        import no_such_module  # noqa: F401


class RaisesAtReset(Works):
    def reset(self, *, seed=None, options=None):
        raise RuntimeError("camera\nnot found")


class NoSeed(Works):
    def reset(self):
        return self.observe(), {}


class FourTuple(Works):
    def step(self, action):
        return self.observe(), 0.0, False, {}


class FloatImage(Works):
    def observe(self):
        return np.zeros((48, 48, 3))


class Disconnects(Works):
    def step(self, action):
        if self.num_steps == 30:
            raise ConnectionError("motor 3 does not answer")
        return super().step(action)


class RaisesAtClose(Works):
    def close(self):
        raise OSError("port is gone")


class NoActionSpace(Works):
    @property
    def action_space(self):
        raise AttributeError("no action_space")


class ManyEnds(Works):
    def step(self, action):
        return self.observe(), 0.0, np.zeros(2, bool), False, {}


class Exits(Works):
    def step(self, action):
        raise SystemExit(3)


class NoPixels(Works):
    observation_space = spaces.Box(0, 255, (0, 48, 3), np.uint8)

    def observe(self):
        return np.zeros((0, 48, 3), np.uint8)


class FixedGoal(Works):
    observation_space = spaces.Dict(
        image=IMAGE, achieved_goal=ACTIONS, desired_goal=spaces.Box(-1, 1, (2,))
    )

    @property
    def goal(self):
        return np.zeros(2)

    def observe(self):
        goals = {"achieved_goal": self.goal, "desired_goal": self.goal}
        return {"image": super().observe(), **goals}


class OddAttributes(Works):
    """What is not read as a robot's is no reason to fail."""

    metadata = {"render_modes": [], "render_fps": float("nan")}  # noqa: RUF012

    @property
    def model(self):
        raise RuntimeError("not connected")

    dt = model

    def step(self, action):
        *same, _info = super().step(action)
        return (*same, {"is_success": np.array([True])})


KINDS = Works.__subclasses__()


@pytest.fixture(autouse=True, scope="module")
def _registered():
    for kind in (Works, *KINDS):
        gymnasium.register(f"failing/{kind.__name__}-v0", kind, max_episode_steps=20)
    yield
    for id_ in [id_ for id_ in registry if id_.startswith("failing/")]:
        del registry[id_]


def drive(name):
    envs = make_external_envs(EnvSpec(id=f"failing/{name}-v0"), 1, 48, seed=0)
    envs.reset(seed=0, options=envs.goals(1, rng=np.random.default_rng(0)).options())
    for _ in range(40):
        envs.step(np.zeros((1, 2), np.float32))
        envs.reset(options={"reset_mask": np.array([e.has_ended for e in envs.external_envs])})
    envs.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("RaisesAtMake", "make raised ImportError: libarm.so: no such file"),
        ("RaisesAtReset", "reset raised RuntimeError: camera not found; reset(seed="),
        ("NoSeed", "must return (observation, info)"),
        ("FourTuple", "step(action) must return (observation, reward, terminated, truncated"),
        ("FloatImage", "its observation is float64 of shape [48, 48, 3]: images must be uint8"),
        ("Disconnects", "step raised ConnectionError: motor 3 does not answer"),
        ("RaisesAtClose", "close raised OSError: port is gone"),
        ("NoActionSpace", "make raised AttributeError: no action_space"),
        ("ManyEnds", "step raised ValueError: The truth value of an array"),
        ("Exits", "step raised SystemExit: 3"),
        ("NoPixels", "its observation is uint8 of shape [0, 48, 3]"),
        ("FixedGoal", "reset raised AttributeError: property 'goal'"),
    ],
)
def test_error_of_an_environment_names_it_and_the_rule(name, message):
    with pytest.raises(EnvFailedError) as caught:
        drive(name)
    assert str(caught.value).startswith(f"failing/{name}-v0: ")
    assert message in str(caught.value)


def look(name, tmp_path, capsys):
    code = main(["look", "--env", f"failing/{name}-v0", "--out", str(tmp_path / "look.png")])
    return code, capsys.readouterr().err


def test_attributes_that_can_not_be_read_are_none():
    envs = make_external_envs(EnvSpec(id="failing/OddAttributes-v0"), 1, 48, seed=0)
    envs.step(np.zeros((1, 2), np.float32))
    assert envs.external_envs[0].is_success == 1
    assert envs.step_s == 1 / FRAMES_PER_S


def test_traceback_is_kept_in_a_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, err = look("RaisesAtReset", tmp_path, capsys)
    (log,) = tmp_path.iterdir()
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith(f"; its traceback is in {log}\n")
    assert 'raise RuntimeError("camera' in log.read_text()


def test_missing_module_of_an_environment_is_named(tmp_path, capsys):
    code, err = look("NeedsModule", tmp_path, capsys)
    assert (code, err.count("\n")) == (2, 1)
    assert "it needs the module no_such_module, which is not installed" in err


@pytest.mark.parametrize(
    ("entry_point", "extra"),
    [("gymnasium.envs.mujoco.x:X", "mujoco"), ("gymnasium.envs.toy_text.x:X", "toy-text")],
)
def test_module_that_gymnasium_needs_is_its_extra(
    tmp_path, capsys, monkeypatch, entry_point, extra
):
    def make(name, **options):
        raise ModuleNotFoundError("No module named 'imageio'", name="imageio")

    monkeypatch.setattr(gymnasium, "make", make)
    monkeypatch.setattr(gymnasium.spec("failing/Works-v0"), "entry_point", entry_point)
    code, err = look("Works", tmp_path, capsys)
    assert code == 2
    assert err.endswith(
        f"it needs imageio, which is not installed: pip install 'gymnasium[{extra}]'\n"
    )


def test_run_whose_robot_fails_says_whose_error_it_is_and_keeps_its_traceback(tiny, tmp_path):
    from dataclasses import replace

    config = replace(tiny, task="failing/Disconnects-v0", num_envs=1)
    run = start_run(config, "fast", tmp_path / "run", [])
    with pytest.raises(EnvFailedError, match="motor 3 does not answer") as caught:
        train_run(run)
    log = run.directory / "error.log"
    assert str(caught.value).endswith(f"its traceback is in {log}; {how_to_resume(run)}")
    assert "ConnectionError: motor 3 does not answer" in log.read_text()


def collected(change):
    images = np.full((5, 48, 48, 3), 100, np.uint8)
    images[3, 10, 10, 0] += change
    return Collected(
        images=images, actions=np.zeros((4, 2), np.float32), num_steps=np.array([4])
    )


def test_images_in_which_nothing_moves_are_refused():
    with pytest.raises(NotEnoughDataError, match="nothing moves in these 5 pictures"):
        check_motion(collected(change=2))
    check_motion(collected(change=3))


def test_nothing_correlates_with_what_never_changes(rng):
    same, some = np.zeros((9, 2)), rng.normal(size=(9, 2))
    assert distance_correlation(same, some, rng=rng) == 0
    assert distance_correlation(some, same, rng=rng) == 0
