"""The Python API: train, resume, load, evaluate, share."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from fake_run import make_run

import rig
from rig.errors import ConfigError, ImageError, StoppedError, TaskError
from rig.inference.export import FILES
from rig.runs.run import Run
from rig.training import run_training


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return rig.Policy(make_run(tmp_path_factory.mktemp("runs") / "run").directory)


@pytest.fixture
def images(rng):
    return rng.integers(256, size=(3, 48, 48, 3), dtype=np.uint8)


@pytest.fixture
def untrained(monkeypatch):
    """Runs that ``rig.train`` would train, which it then does not."""
    runs = []

    def train_locked(run, *_how):
        runs.append(make_run(run.directory.with_name("other"), run.config) and run)
        (run.directory.with_name("other") / "policy").rename(run.directory / "policy")

    monkeypatch.setattr(run_training, "train_locked", train_locked)
    return runs


@pytest.fixture
def tiny_settings(tiny):
    from rig.runs.settings import changes_from

    return {key: value for key, value in changes_from("paper", tiny).items() if key != "task"}


def test_training_takes_typed_options_and_dotted_settings(untrained, tmp_path):
    policy = rig.train(
        "rig/Push-v0",
        seed=3,
        total_timesteps=500,
        out=tmp_path / "a",
        settings={"td3.hidden_sizes": [8], "vae.latent_dim": 2},
        progress="none",
    )
    config = Run.open(tmp_path / "a").config
    assert config == policy.config
    assert (config.task, config.seed, config.total_timesteps) == ("Push", 3, 500)
    assert config.td3.hidden_sizes == (8,)
    assert config.reward.kind == "auto"
    command = json.loads((tmp_path / "a" / "origin.json").read_text())["command"]
    assert command == (
        "rig train Push --preset fast --seed 3 --total-timesteps 500 --vae.latent-dim 2 "
        "--td3.hidden-sizes 8"
    )


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({}, ConfigError, "give a task, as rig.train\\('Push'\\)"),
        ({"task": "Push", "env": "Pendulum-v1"}, ConfigError, "and not both"),
        ({"task": "Pusj"}, TaskError, "did you mean 'Push'"),
        ({"task": "Push", "settings": {"td3.gama": 1}}, ConfigError, r"mean 'td3\.gamma'"),
        (
            {"task": "Push", "settings": {"td3.gamma": 2}},
            ConfigError,
            "in \\[0, 1\\) or auto, got 2",
        ),
        (
            {"task": "Push", "settings": {"replay_size": 2}},
            ConfigError,
            "now called buffer",
        ),
        ({"task": "Push", "settings": {"oracle": True}}, ConfigError, "acts from images"),
        ({"task": "Push", "config": rig.Config()}, ConfigError, "give config, or a task"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_written(tmp_path, how, error, message):
    with pytest.raises(error, match=message):
        rig.train(**how, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.ci
def test_run_that_is_stopped_before_any_evaluation_has_no_policy(tmp_path, tiny):
    config = replace(tiny, evaluate=replace(tiny.evaluate, every_steps=1000))
    with pytest.raises(StoppedError, match="rig train --resume"):
        rig.train(config=config, out=tmp_path / "run", callback=lambda _: False)


def test_policy_acts_on_one_image_and_on_batches_alike(policy, images):
    alone = [policy.act(image, images[0]) for image in images]
    for together in (policy.act(images, images[0]), policy.act(images, images[[0, 0, 0]])):
        assert together.dtype == np.float32
        np.testing.assert_allclose(together, alone, atol=1e-6)
    alone[0] += 1  # a new array of the caller's own


@pytest.mark.parametrize(
    ("num", "goal_shape"), [(1, (48, 48)), (None, (1, 48, 48, 3)), (3, (2, 48, 48, 3))]
)
def test_images_that_do_not_fit_are_refused(policy, images, num, goal_shape):
    with pytest.raises(ImageError, match="goal"):
        policy.act(images[0] if num is None else images, np.zeros(goal_shape, np.uint8))
    with pytest.raises(ImageError, match="image is float64"):
        policy.act(images / 255, images)


def test_what_is_saved_is_loaded_and_acts_the_same(policy, images, tmp_path):
    policy.save_pretrained(tmp_path / "saved")
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == sorted(FILES)
    loaded = rig.Policy.from_pretrained(str(tmp_path / "saved"))
    loaded.save_pretrained(tmp_path / "again")
    for each in (loaded, rig.load(tmp_path / "again")):
        np.testing.assert_array_equal(each.act(*images[:2]), policy.act(*images[:2]))


@pytest.mark.parametrize("module", ["rig", "rig.envs"])
def test_importing_it_is_enough_for_gymnasium(module):
    code = (
        f"import gymnasium, {module}\n"
        "print(gymnasium.make('rig/Push-v0').unwrapped.observation_space.keys())\n"
        "print(gymnasium.make_vec('rig/Push-v0', num_envs=3).num_envs)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "3", done.stderr


def test_public_names_are_there_and_no_others():
    assert {name for name in dir(rig) if callable(getattr(rig, name))} >= {"train", "Policy"}
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        rig.trian  # noqa: B018
