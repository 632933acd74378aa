"""A task from another module is found, rendered and trained as the built-in ones."""

import re
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import registry

from rig.agent.agent import Agent
from rig.cli.main import main
from rig.config import Config
from rig.envs import register_task
from rig.envs.scene import load_model
from rig.envs.tasks import PUSH, find_task, gymnasium_id, is_external, short_name
from rig.errors import SceneError, TaskError
from rig.representation.latent import LatentRepresentation
from rig.runs.run import Run
from rig.training import recorder as measure
from rig.training.make_envs import make_envs, with_task_name
from rig.training.progress import PlainProgress
from rig.types import Encoding


NAME = "bar:mine/Bar-v0"


@pytest.fixture(autouse=True)
def examples_on_path(monkeypatch, pytestconfig):
    monkeypatch.syspath_prepend(pytestconfig.rootpath / "examples")


def test_task_is_found_by_its_module_and_id():
    assert find_task(NAME).objects["turn"] == ("bar_turn",)
    assert (short_name(NAME), gymnasium_id(NAME)) == (NAME, NAME)
    assert not is_external(NAME)
    assert with_task_name(Config(task=NAME)).task == NAME
    assert is_external("gymnasium:CartPole-v1")
    assert gymnasium_id("push") == "rig/Push-v0"
    assert find_task("rig.envs.registration:rig/Push-v0") is PUSH


def test_page_shows_the_code_of_the_example(pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "new-task.md").read_text()
    lengths = []
    for kind, name in (("xml", "bar.xml"), ("python", "bar.py")):
        example = (pytestconfig.rootpath / "examples" / name).read_text()
        lengths.append(len(example.splitlines()))
        shown, *_ = re.findall(rf"```{kind}\n(.*?)```", page, flags=re.DOTALL)
        assert shown in example
    assert f"{sum(lengths)} lines in both files" in page
    assert sum(lengths) < 60


def test_page_shows_the_code_of_the_own_robot(pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "bring-your-own-robot.md").read_text()
    example = (pytestconfig.rootpath / "examples" / "own_robot.py").read_text()
    code, *_ = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    lines = [line.split("  # noqa")[0] for line in example.splitlines()]
    assert set(code.splitlines()) <= set(lines)


def test_gymnasium_finds_the_task():
    env = gymnasium.make(NAME)
    _, info = env.reset(options={"goal_states": [0.0, 0.5, 0.03, 0.64, 0.7]})
    assert info["bar_distance_m"] == pytest.approx(0.05)
    assert info["turn_distance_rad"] == pytest.approx(0.7)


def test_error_for_a_missing_module_or_task_names_it():
    with pytest.raises(TaskError, match=r"nowhere:mine/Bar-v0.*No module"):
        find_task("nowhere:mine/Bar-v0")
    with pytest.raises(TaskError, match=r"bar:mine/Baz-v0.*Did you mean"):
        find_task("bar:mine/Baz-v0")


def test_external_environment_is_not_a_task():
    with pytest.raises(TaskError, match="not a rig task"):
        find_task("gymnasium:CartPole-v1")


def test_task_can_be_registered_again():
    register_task(find_task(NAME))
    register_task(find_task(NAME))
    assert registry["mine/Bar-v0"].kwargs["task"] is find_task(NAME)


def test_error_for_a_scene_that_does_not_compile_names_the_file(tmp_path):
    path = tmp_path / "broken.xml"
    path.write_text("<mujoco><worldbody><geom/></worldbody></mujoco>")
    with pytest.raises(SceneError, match=r"broken.xml' does not compile: .*size"):
        load_model(path)


def test_rig_look_renders_the_task(tmp_path, capsys):
    assert main(["look", NAME, "--goal", "--out", str(tmp_path / "goal.png")]) == 0
    assert (tmp_path / "goal.png").is_file()


class Brightness(LatentRepresentation):
    """A latent space of one dimension: the mean brightness of an image."""

    def __init__(self):
        self.weight = np.ones(1, np.float32)

    def encode(self, images):
        latent = images.mean(axis=(1, 2, 3), dtype=np.float32)[:, None]
        return Encoding(latent=latent, log_std=0 * latent)


class NoOpAgent(Agent):
    def __init__(self):
        self.representation = Brightness()

    def act(self, frames, goals, *, use_target_actor=False):
        return np.zeros((len(frames), 2), np.float32), self.representation.encode(frames)


def test_distances_and_probes_are_reported_in_the_units_of_the_task(
    tmp_path, tiny, monkeypatch
):
    run = Run.create(tmp_path / "run", replace(tiny, task=NAME), {})
    monkeypatch.setattr(measure, "is_best", lambda _rows: False)  # no agent to save
    envs = make_envs(run.config, 1)
    recorder = measure.Recorder(run.config, run, PlainProgress(lambda _line: None), envs)
    trial = recorder.evaluate(NoOpAgent())
    assert list(trial.distances) == ["hand_m", "bar_m", "turn_rad"]
    np.testing.assert_array_equal(trial.distances["turn_rad"], trial.do_nothing["turn_rad"])
    (row,) = run.metrics()
    assert row["eval/turn_distance_rad"] == row["eval/do_nothing_turn_distance_rad"] > 0
    probed = recorder._probe(Brightness())
    assert list(probed)[2:5] == ["probe/bar_x_cm", "probe/bar_y_cm", "probe/bar_turn_rad"]
    assert 1 < probed["probe/bar_x_cm"] < 10
    assert 0.1 < probed["probe/bar_turn_rad"] < 1.0
