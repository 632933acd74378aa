"""The policy inside LeRobot, against stand-ins of LeRobot and PyTorch."""

import importlib
import json
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from rig.robots.read_config import read_config
from rig.robots.so101_kinematics import So101Kinematics


class Tensor:
    """As much of ``torch.Tensor`` as the policy uses."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def __getitem__(self, key):
        return Tensor(self.array[key])

    def cpu(self):
        return self

    def numpy(self):
        return self.array


@dataclass
class PreTrainedConfig:
    @classmethod
    def register_subclass(cls, name):
        assert name == "rig"
        return lambda kind: kind


class PreTrainedPolicy:
    def __init__(self, config):
        self.config = config


@pytest.fixture
def plugin(monkeypatch):
    """The plug-in, imported beside stand-ins."""
    torch = {
        "Tensor": Tensor,
        "float32": np.float32,
        "zeros": np.zeros,
        "as_tensor": lambda array, dtype: Tensor(np.asarray(array, dtype)),
        "nn": SimpleNamespace(Parameter=Tensor),
    }
    modules = {
        "torch": torch,
        "lerobot": {},
        "lerobot.configs": {},
        "lerobot.configs.policies": {"PreTrainedConfig": PreTrainedConfig},
        "lerobot.policies": {},
        "lerobot.policies.pretrained": {"PreTrainedPolicy": PreTrainedPolicy},
        "lerobot.processor": {"PolicyProcessorPipeline": lambda steps, name: (name, steps)},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.syspath_prepend("lerobot_policy_rig")
    yield importlib.import_module("lerobot_policy_rig")
    for name in [name for name in sys.modules if name.startswith("lerobot_policy_rig")]:
        del sys.modules[name]


class Forward:
    """A policy that moves along x."""

    image_shape = (84, 84, 3)

    def act(self, image, goal):
        self.seen = image
        return np.array([1.0, 0.0, 0.0], np.float32)


def test_it_moves_one_step_and_stays_in_the_box(plugin, monkeypatch, tmp_path):
    from PIL import Image

    modeling = sys.modules["lerobot_policy_rig.modeling_rig"]
    policy = Forward()
    monkeypatch.setattr(modeling, "Policy", lambda run: policy)
    Image.new("RGB", (84, 84)).save(tmp_path / "goal.png")
    page = "examples/robots/so101.toml"
    config = plugin.RigConfig(run="run", goal_image=str(tmp_path / "goal.png"), robot_page=page)
    robot = plugin.RigPolicy(config)
    kinematics, limits = So101Kinematics(), read_config(page).limits
    joints = kinematics.inverse(np.array([0.24, 0.0, 0.05]), np.zeros(6))
    places = []
    for _ in range(12):
        image = np.full((1, 3, 480, 640), 100 / 255)
        batch = {config.camera: Tensor(image), "observation.state": Tensor(joints[None])}
        joints = robot.select_action(batch).array[0].astype(float)
        places.append(kinematics.forward(joints))
    assert places[0][0] == pytest.approx(0.25, abs=1e-3)
    assert places[-1][0] == pytest.approx(limits.box_high_m[0], abs=1e-3)
    np.testing.assert_array_equal(policy.seen, np.full((84, 84, 3), 100))


def test_it_writes_what_lerobot_reads(plugin, tmp_path):
    main = importlib.import_module("lerobot_policy_rig.__main__")
    out = tmp_path / "policy"
    main.write_policy(out, tmp_path, tmp_path / "goal.png", "observation.images.top", tmp_path)
    about = json.loads((out / "config.json").read_text())
    assert (about["type"], about["camera"]) == ("rig", "observation.images.top")
    written = {path.name for path in out.iterdir()}
    assert written == {
        "config.json",
        "model.safetensors",
        "policy_preprocessor.json",
        "policy_postprocessor.json",
    }
    pre, post = plugin.make_rig_pre_post_processors(None)
    assert pre == ("policy_preprocessor", [])
    assert post == ("policy_postprocessor", [])
