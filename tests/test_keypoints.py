from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.agent.agent import Agent
from rig.agent.td3 import new_learner
from rig.config import Config, GoalConfig, OnlineConfig, TD3Config, VAEConfig
from rig.replay.buffer import ReplayBuffer
from rig.representation.fit import fit
from rig.representation.keypoints import KeypointEncoder, calibrate, find_colors
from rig.representation.latent import make_latent_representation
from rig.representation.spatial_softmax import POSITION_SCALE
from rig.representation.vae import make_vae
from rig.training.fit_representation import finetune
from rig.training.recorder import Recorder
from rig.types import Episodes


SIDE = 24
RED, GREEN, BLUE, GREY = (200, 20, 20), (20, 180, 20), (20, 60, 220), (120, 120, 120)
CONFIG = VAEConfig(
    architecture="keypoints",
    latent_dim=6,
    likelihood="gaussian",
    num_components=8,
    hidden_size=16,
    batch_size=16,
    num_fit_steps=40,
)


def with_square(row, column, color=RED):
    """A grey image with a square of 4 x 4 pixels, its first row and column given."""
    image = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    image[row : row + 4, column : column + 4] = color
    return image


def places(images, colors):
    """x and y of each color, from -1 to 1 across the image."""
    latents = encoded(KeypointEncoder(np.float32(colors) / 255), images)
    return np.asarray(latents).reshape(len(images), -1, 2) / POSITION_SCALE


def encoded(encoder, images):
    """The latents of images."""
    encode = jax.jit(jax.vmap(lambda image: encoder(image)[0]))
    return encode(jnp.asarray(np.float32(images) / 255))


@pytest.fixture(scope="module")
def scene():
    """A red bar that moves through all images, a blue dot in every other one, a fifth of
    the bar's size, and a green square that stands still.
    """
    rng = np.random.default_rng(0)
    images = np.full((200, SIDE, SIDE, 3), GREY, np.uint8)
    for index, image in enumerate(images):
        left = rng.integers(0, 12)
        image[:10, left : left + 8] = RED
        if index % 2 == 0:
            down, right = rng.integers(12, 20, size=2)
            image[down : down + 4, right : right + 4] = BLUE
        image[20:24, :4] = GREEN
    return images


def nearest(colors, wanted):
    """How far the color nearest to the wanted one is from it, in 0 .. 255."""
    return np.linalg.norm(255 * colors - np.float32(wanted), axis=1).min()


def test_keypoint_is_the_centre_of_the_object_of_its_color():
    """Rows 4 to 7 of 24 have their middle at 6: 6 / 12 - 1 = -1/2; columns 16 to 19 at 18."""
    place = places([with_square(4, 16)], [RED])[0, 0]
    np.testing.assert_allclose(place, [0.5, -0.5], atol=1e-3)


def test_each_keypoint_follows_its_own_color():
    image = with_square(4, 16)
    image[14:18, 2:6] = BLUE
    red, blue = places([image], [RED, BLUE])[0]
    np.testing.assert_allclose(red, [0.5, -0.5], atol=1e-3)
    np.testing.assert_allclose(blue, [4 / 12 - 1, 16 / 12 - 1], atol=1e-3)


def test_keypoint_moves_with_its_object():
    first, right, down = places(
        [with_square(8, 8), with_square(8, 9), with_square(9, 8)], [RED]
    )
    np.testing.assert_allclose(right - first, [[1 / 12, 0]], atol=1e-3)
    np.testing.assert_allclose(down - first, [[0, 1 / 12]], atol=1e-3)


def test_keypoint_of_a_missing_color_is_in_the_centre():
    wall = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    np.testing.assert_allclose(places([wall], [RED]), np.zeros((1, 1, 2)), atol=1e-5)


LONG = [pytest.mark.slow, pytest.mark.ci]
SEEDS = [0, 1, *(pytest.param(seed, marks=LONG) for seed in range(2, 10))]


@pytest.mark.parametrize("seed", SEEDS)
def test_small_moving_objects_get_a_color_and_still_ones_get_none(scene, seed, measured):
    colors = find_colors(scene, 6, rng=np.random.default_rng(seed))
    measured("from red", nearest(colors, RED), below=15)
    measured("from blue", nearest(colors, BLUE), below=15)
    measured("from green", nearest(colors, GREEN), above=60)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_color_is_a_mixture_that_no_pixel_has(scene, seed, measured):
    """Images of half the size mix red and grey along the bar, and a keypoint would go there."""
    colors = 255 * find_colors(scene, 6, rng=np.random.default_rng(seed))
    real = np.float32([RED, BLUE, GREEN, GREY])
    nearest_real = np.linalg.norm(colors[:, None] - real, axis=2).min(axis=1)
    measured("from a real color", nearest_real.max(), below=15)


def test_same_seed_finds_the_same_colors(scene):
    first, second = (find_colors(scene, 4, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_more_keypoints_than_colors_can_be_found(rng):
    colors = find_colors(np.full((3, SIDE, SIDE, 3), GREY, np.uint8), 4, rng=rng)
    np.testing.assert_allclose(255 * colors, [GREY] * 4, atol=0.1)


def test_fit_learns_the_log_std_and_keeps_the_colors(scene, key, rng):
    before = make_vae(CONFIG, scene, key=key, rng=rng)
    after = fit(before, scene, replace(CONFIG, learning_rate=0.01), rng=rng)
    np.testing.assert_array_equal(after.encoder.colors, before.encoder.colors)
    assert (after.encoder.log_std != before.encoder.log_std).all()


class NullRecorder(Recorder):
    """A recorder that measures nothing."""

    def __init__(self):
        pass

    def after_fit(self, space, images):
        pass


def test_finetuning_updates_the_log_stds_in_replay_and_keeps_the_goals(scene, key, rng):
    """Two goals of 99 steps each; places are as they were, but for a rounding."""
    config = Config(
        vae=replace(CONFIG, learning_rate=0.01),
        online=OnlineConfig(every_steps=100, num_fit_steps=3),
        goals=GoalConfig(source="seen"),
    )
    space = make_latent_representation(
        make_vae(CONFIG, scene, key=key, rng=rng), scene, "seen", -1.0, rng=rng
    )
    replay, encoding = ReplayBuffer(198, 99), space.encode(scene)
    actions, goals = np.zeros((198, 2), np.float32), space.imagine(2, rng=rng)
    replay.add(
        Episodes(
            num_steps=np.array([99, 99]),
            actions=actions,
            frames=scene,
            encoding=encoding,
            goals=goals,
        )
    )
    policy = Agent(space, new_learner(6, 2, TD3Config(hidden_sizes=(8,)), key=key))
    again = finetune(policy, replay, config, NullRecorder(), rng=rng).representation
    held = replay.mutable_arrays()
    np.testing.assert_array_equal(held["goals"], goals)
    np.testing.assert_array_equal(held["log_stds"], again.encode(scene).log_std)
    assert (held["log_stds"] != encoding.log_std).all()
    np.testing.assert_allclose(held["latents"], encoding.latent, atol=1e-5)


WALL = jnp.full((SIDE, SIDE, 3), np.float32(GREY) / 255)


def calibrated_on(*images):
    """An encoder of red that was found in these images."""
    return calibrate(KeypointEncoder(np.float32([RED]) / 255), np.stack(images))


def test_missing_color_that_was_always_visible_is_at_its_mean_position():
    """The red square has its middle at columns 18 and 6, so usually at 12."""
    encoder = calibrated_on(with_square(4, 16), with_square(4, 4))
    place, _ = encoder(WALL)
    np.testing.assert_allclose(place / POSITION_SCALE, [0, -0.5], atol=1e-3)


def test_missing_color_that_was_sometimes_hidden_is_in_the_centre():
    encoder = calibrated_on(with_square(4, 16), with_square(4, 16, color=GREY))
    place, _ = encoder(WALL)
    np.testing.assert_allclose(place, [0, 0], atol=1e-3)


def test_one_pixel_of_a_color_is_enough_to_be_visible():
    """In row 6 and column 18 of 24, so its middle is at 6.5 and -5.5 of 12."""
    encoder = calibrated_on(with_square(4, 4))
    place, _ = encoder(WALL.at[6, 18].set(np.float32(RED) / 255))
    np.testing.assert_allclose(place / POSITION_SCALE, [6.5 / 12, -5.5 / 12], atol=2e-3)
