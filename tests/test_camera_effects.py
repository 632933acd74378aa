from io import BytesIO

import gymnasium
import numpy as np
import pytest
from PIL import Image

import rig.envs  # noqa: F401 (registers the tasks)
from rig.cli.main import main
from rig.config import Config
from rig.envs.camera_effects import CameraEffects
from rig.envs.camera_effects.effect_names import WEBCAM, effects_named
from rig.envs.camera_effects.jpeg import Jpeg
from rig.errors import ConfigError
from rig.settings import change
from rig.training.evaluate import evaluation_goals
from rig.training.make_envs import make_envs


NUM = 4


def task_envs(task="Push", num=NUM):
    return gymnasium.make_vec(f"rig/{task}-v0", num_envs=num, num_threads=1).unwrapped


def with_effects(*effects, task="Push", num=NUM):
    return CameraEffects(task_envs(task, num), effects)


def images_of(envs, *, seed, num_steps=5):
    """The images of an episode of random actions, [T, N, H, W, 3]."""
    rng = np.random.default_rng(seed)
    observation, _ = envs.reset(seed=seed)
    images = [observation["observation"]]
    for _ in range(num_steps):
        actions = rng.uniform(-1, 1, (envs.num_envs, 2)).astype(np.float32)
        images.append(envs.step(actions)[0]["observation"])
    return np.stack(images)


def test_a_seed_decides_every_byte():
    envs = with_effects("webcam")
    first = images_of(envs, seed=3)
    other = images_of(envs, seed=4)
    np.testing.assert_array_equal(images_of(envs, seed=3), first)
    np.testing.assert_array_equal(images_of(with_effects("webcam"), seed=3), first)
    assert (other != first).any()


def test_images_are_copies():
    envs = CameraEffects(task_envs(), ["webcam"])
    envs.render_mode = "rgb_array"
    observation, _ = envs.reset(seed=0)
    shown = np.stack(envs.render())
    for image in observation.values():
        image[:] = 0
    np.testing.assert_array_equal(np.stack(envs.render()), shown)
    after, _, _, _, _ = envs.step(np.zeros((NUM, 2), np.float32))
    assert all(image.any() for image in after.values())


def test_a_camera_shows_the_same_alone_as_in_a_batch():
    np.testing.assert_array_equal(
        images_of(with_effects("webcam", num=1), seed=3)[0, 0],
        images_of(with_effects("webcam"), seed=3)[0, 0],
    )


@pytest.mark.parametrize("effect", sorted(WEBCAM | {"night"}))
def test_every_effect_changes_images_and_nothing_else(effect):
    clean, envs = task_envs(), with_effects(effect)
    plain, changed = images_of(clean, seed=1), images_of(envs, seed=1)
    assert (changed != plain).any()
    assert np.abs(changed.astype(float) - plain).mean() < 30
    np.testing.assert_array_equal(clean.get_state(), envs.envs.get_state())


def test_a_state_goes_on_to_the_same_bytes():
    """A reset-free task is not seeded at its resets, so its camera is part of its state."""
    envs, other = (with_effects("webcam", task="PushResetFree") for _ in range(2))
    images_of(envs, seed=1)
    envs.reset()
    other.set_state(envs.get_state())
    for each in (envs, other):
        each.reset()
    for _ in range(3):
        actions = np.full((NUM, 2), 0.5, np.float32)
        one, another = envs.step(actions)[0], other.step(actions)[0]
        np.testing.assert_array_equal(one["observation"], another["observation"])
    np.testing.assert_array_equal(envs.get_state(), other.get_state())


def test_goals_are_those_of_the_clean_camera_at_another_moment():
    clean = evaluation_goals(task_envs(), 6)
    envs = with_effects("webcam")
    goals = evaluation_goals(envs, 6)
    np.testing.assert_array_equal(goals.states, clean.states)
    np.testing.assert_array_equal(evaluation_goals(envs, 3).images, goals.images[:3])
    assert (goals.images != clean.images).mean() > 0.5
    observation, _ = envs.reset(options=goals.rows(slice(NUM)).options())
    np.testing.assert_array_equal(observation["desired_goal"], goals.images[:NUM])


def test_a_scene_that_stands_still_looks_different_in_its_goal_image():
    envs = with_effects("webcam")
    start = np.tile(envs.task.start, (NUM, 1))
    images = envs.reset(options={"goal_states": start})[0]
    assert (images["observation"] != images["desired_goal"]).mean() > 0.5


def test_an_evaluation_does_not_depend_on_what_came_before():
    envs = with_effects("webcam")
    goals = evaluation_goals(envs, NUM)
    first = envs.reset(options=goals.options())[0]["observation"]
    images_of(envs, seed=9)
    again = envs.reset(options=goals.options())[0]["observation"]
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize(("effect", "low", "high"), [("noise", 0.7, 1.5), ("night", 5.5, 6.5)])
def test_noise_is_that_of_a_sensor(effect, low, high):
    envs = with_effects(effect)
    observation, _ = envs.reset(seed=0)
    images = [observation["observation"]]
    images += [envs.step(np.zeros((NUM, 2), np.float32))[0]["observation"] for _ in range(20)]
    levels = np.std(np.array(images, float)[:, :, 30:, :12], axis=0).mean()
    assert low < levels < high


def test_a_still_corner_swings_as_measured_on_real_cameras():
    """By 8 grey levels within two seconds, rarely by 17 or more."""
    envs, swings = with_effects("exposure", "shadows", num=16), []
    for seed in range(4):
        images = images_of(envs, seed=seed, num_steps=20)
        swings.append(np.ptp(images[..., 40:46, 2:8, :].mean(axis=(2, 3, 4)), axis=0))
    assert 5 < np.median(swings) < 11
    assert 11 < np.percentile(swings, 97) < 30


def test_exposure_follows_what_the_camera_sees():
    """A darker scene gets brighter, but only after a while."""
    envs = with_effects("exposure", num=1)
    envs.reset(seed=0)
    light = envs._light
    dark = light.with_measured(light.measured - 0.5, is_settled=False)
    rng = np.random.default_rng(0)
    soon = dark.after(0.1, rng=rng)
    late = soon.after(3.0, rng=rng)
    assert 0 < soon.exposure - light.exposure < 0.1
    assert late.exposure - light.exposure > 0.3


@pytest.mark.parametrize("size", [48, 84, 45])
def test_jpeg_loses_what_the_library_loses(size):
    grey = np.random.default_rng(0).uniform(0, 200, (size, size, 1))
    image = (grey + np.array([0, 30, 50])).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=90)
    theirs = np.asarray(Image.open(file)).astype(float)
    planes = image.transpose(2, 0, 1)[None].astype(np.float32)
    ours = Jpeg(90).lose(planes)[0].transpose(1, 2, 0)
    loss = np.abs(theirs - image).mean()
    assert np.abs(ours.clip(0, 255) - theirs).mean() < 0.5 * loss
    assert 0.7 * loss < np.abs(ours.clip(0, 255) - image).mean() < 1.4 * loss


def test_the_setting_is_part_of_the_run():
    config = change(Config(task="Push"), {"camera_effects": ["noise", "jpeg"]})
    envs = make_envs(config, 2)
    assert envs.unwrapped.effects == {"noise", "jpeg"}
    assert "jpeg noise" in envs.unwrapped.renderer


def test_look_writes_a_video_of_clean_and_real_images(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rig.inference.video.NUM_LOOK_STEPS", 4)
    assert main(["look", "Push", "--camera-effects", "webcam", "--video"]) == 0
    assert capsys.readouterr().out == "Push.mp4\n"
    assert (tmp_path / "Push.mp4").stat().st_size > 1000
    assert main(["look", "Push"]) == 2
    assert "--out FILE.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("effects", "match"),
    [(["nois"], "no camera effect 'nois': did you mean 'noise'"), ([], "name a camera effect")],
)
def test_effects_that_are_unknown_are_refused(effects, match):
    with pytest.raises(ConfigError, match=match):
        effects_named(effects)
