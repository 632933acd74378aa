"""Quantile keypoints: light and noise change nothing, places and shapes do."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.agent.agent import Agent
from rig.agent.td3 import new_learner
from rig.config import Config, GoalConfig, OnlineConfig, TD3Config, VAEConfig
from rig.replay.buffer import ReplayBuffer
from rig.representation.background import find_background
from rig.representation.fit import fit
from rig.representation.illumination import DARK, Illumination, blur
from rig.representation.keypoint_fit import fit_colors, fit_keypoints
from rig.representation.latent import make_latent_representation
from rig.representation.quantile_keypoints import MovingColors, blank_encoder
from rig.representation.signal_directions import find_directions
from rig.representation.slabs import slab_features
from rig.representation.vae import make_vae
from rig.training.fit_representation import finetune
from rig.training.recorder import Recorder
from rig.types import Episodes


SIDE = 24
MAX_IMAGES = 400
TABLE = (150.0, 130.0, 100.0)
PUCK = (20.0, 60.0, 200.0)


def scene(places, color=PUCK, size=4):
    """Draw one square per place (x, y in pixels) on a table."""
    image = np.empty((SIDE, SIDE, 3), np.float32)
    image[:] = TABLE
    for x, y in places:
        image[y : y + size, x : x + size] = color
    return image


def lit(images, rng, shadow=0.25):
    """Return images under other light: gain, white balance and a soft shadow."""
    num = len(images)
    down, right = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    at = rng.uniform(0, 1, (2, num, 1, 1))
    blob = np.exp(-((down - at[0]) ** 2 + (right - at[1]) ** 2) / (2 * 0.15**2))
    gain = rng.uniform(0.85, 1.15, (num, 1, 1, 1)) * rng.uniform(0.97, 1.03, (num, 1, 1, 3))
    light = gain * (1 - shadow * rng.uniform(0, 1, (num, 1, 1)) * blob)[..., None]
    noisy = images * light + rng.normal(0, 1, images.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def places_of(rng, num, count=1):
    return rng.integers(1, SIDE - 5, (num, count, 2))


@pytest.fixture(scope="module")
def fitted():
    """Return an encoder fitted to a square under changing light, the places and the images."""
    rng = np.random.default_rng(0)
    places = places_of(rng, 300)
    images = lit(np.stack([scene(p) for p in places]), rng)
    return fit_keypoints(images, 6, rng=rng), places[:, 0], images


@eqx.filter_jit
def encode_all(encoder, images):
    return jax.vmap(lambda image: encoder(image / 255)[0])(images)


located = eqx.filter_jit(slab_features)


def encode(encoder, images):
    """Encode images, always as many at once, so that `encode_all` compiles once."""
    padded = np.resize(np.float32(images), (MAX_IMAGES, SIDE, SIDE, 3))
    return np.asarray(encode_all(encoder, padded))[: len(images)]


def test_latents_hold_the_place_under_changing_light(fitted):
    encoder, places, images = fitted
    latents = encode(encoder, images)
    known = np.c_[latents, np.ones(len(latents))]
    solved, *_ = np.linalg.lstsq(known[:150], places[:150], rcond=None)
    error_px = np.abs(known[150:] @ solved - places[150:]).mean()
    assert error_px < 0.5  # a random guess is about 5 pixels off


def test_light_moves_latents_little(fitted):
    encoder, _, _ = fitted
    rng = np.random.default_rng(1)
    still = np.repeat(scene([(8, 8)])[None], 20, axis=0)
    moved = np.stack([scene([(x, 8)]) for x in (4, 12)])
    spread = encode(encoder, lit(still, rng)).std(axis=0)
    step = np.abs(np.subtract(*encode(encoder, lit(moved, rng))))
    assert np.linalg.norm(spread) < 0.25 * np.linalg.norm(step)


def test_latents_are_fitted_to_what_moves(fitted):
    """The latents that count most have a standard deviation near 1, the last nearly none."""
    encoder, _, images = fitted
    deviation = encode(encoder, images).std(axis=0)
    assert deviation[0] > 0.6
    assert deviation[-1] < 0.3 * deviation[0]


def test_background_is_what_is_behind_an_object_that_rarely_leaves():
    rng = np.random.default_rng(0)
    images = np.stack([scene([(10, 10) if i % 10 else (2, 2)]) for i in range(100)])
    values = np.log(images + rng.normal(0, 1, images.shape) + DARK).astype(np.float32)
    found, share = find_background(values, np.full((SIDE, SIDE), 0.01, np.float32))
    assert np.abs(np.exp(found) - DARK - TABLE).max() < 3
    assert share[11, 11] == pytest.approx(0.1)
    assert share[0, -1] == 1


def test_an_object_that_never_leaves_is_background():
    images = np.stack([scene([(10, 10)])] * 20)
    found, _ = find_background(
        np.log(images + DARK).astype(np.float32), np.full((SIDE, SIDE), 0.01, np.float32)
    )
    assert np.exp(found[11, 11]) - DARK == pytest.approx(PUCK, abs=0.1)


def flat_illumination():
    background = jnp.log(jnp.broadcast_to(jnp.asarray(TABLE), (SIDE, SIDE, 3)) + DARK)
    ones = jnp.ones((SIDE, SIDE))
    return Illumination(
        background, ones, jnp.zeros(()), jnp.ones((SIDE, SIDE, 6)), jnp.zeros(())
    )


def test_gain_and_shadow_are_taken_away_and_the_object_is_kept():
    rng = np.random.default_rng(0)
    image = lit(scene([(10, 10)])[None], rng)[0]
    ratio = np.asarray(eqx.filter_jit(flat_illumination())(jnp.float32(image)))
    outside = np.ones((SIDE, SIDE), bool)
    outside[8:16, 8:16] = False
    assert np.abs(ratio[outside]).mean() < 0.05
    assert np.abs(ratio[11:13, 11:13]).max() > 0.5


def test_z_squared_uses_the_covariance():
    """Six numbers of the inverse covariance give the same as the whole matrix."""
    rng = np.random.default_rng(0)
    half = rng.normal(size=(3, 3))
    whole = (half @ half.T).astype(np.float32)
    i, j = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]
    six = jnp.broadcast_to(jnp.asarray(whole[i, j]), (SIDE, SIDE, 6))
    ones = jnp.ones((SIDE, SIDE))
    illumination = Illumination(
        jnp.zeros((SIDE, SIDE, 3)), ones, jnp.zeros(()), six, jnp.zeros(())
    )
    ratio = rng.normal(size=(3, SIDE, SIDE)).astype(np.float32)
    expected = np.einsum("ihw,ij,jhw->hw", ratio, whole, ratio)
    np.testing.assert_allclose(
        eqx.filter_jit(illumination.z_squared)(jnp.asarray(ratio)), expected, rtol=1e-4
    )


def test_blur_keeps_the_sum():
    field = jnp.zeros((SIDE, SIDE)).at[7, 9].set(1.0)
    blurred = np.asarray(jax.jit(blur)(field))
    assert blurred.sum() == pytest.approx(1)
    assert blurred[7, 9] == pytest.approx(0.25)


def mass_of(points, side=SIDE):
    mass = np.full((1, side, side), 1e-7, np.float32)
    for x, y in points:
        mass[0, y, x] += 1
    return mass


def test_place_is_the_mean_place_in_half_image_sides():
    features = located(mass_of([(0, 0), (0, 2)]))
    assert np.asarray(features[0, :2]) == pytest.approx(
        [(0.5 * 2 / SIDE) - 1, (1.5 * 2 / SIDE) - 1], abs=1e-4
    )


def test_shape_does_not_depend_on_the_place():
    points = [(4, 4), (5, 4), (6, 5), (7, 6)]
    here = located(mass_of(points))
    there = located(mass_of([(x + 6, y + 9) for x, y in points]))
    np.testing.assert_allclose(here[0, 2:], there[0, 2:], atol=1e-3)
    np.testing.assert_allclose(there[0, :2] - here[0, :2], [0.5, 0.75], atol=1e-3)


def test_turned_bars_have_one_place_and_other_shapes():
    bars = {
        "right": [(8 + i, 12) for i in range(9)],
        "down": [(12, 8 + i) for i in range(9)],
        "falling": [(8 + i, 8 + i) for i in range(9)],
        "rising": [(8 + i, 16 - i) for i in range(9)],
    }
    features = np.stack([located(mass_of(points))[0] for points in bars.values()])
    np.testing.assert_allclose(features[:, :2], features[[0] * 4, :2], atol=1e-3)
    shapes = features[:, 2:]
    apart = np.linalg.norm(shapes[:, None] - shapes[None], axis=-1)
    assert apart[~np.eye(4, dtype=bool)].min() > 0.2


def test_twins_that_swap_places_look_the_same():
    rng = np.random.default_rng(0)
    images = lit(np.stack([scene(p) for p in places_of(rng, 200, 2)]), rng)
    encoder = fit_keypoints(images, 6, rng=rng)
    one, other = scene([(3, 4), (15, 14)]), scene([(15, 14), (3, 4)])
    nearer = scene([(7, 8), (11, 10)])
    swapped, closer = encode(encoder, np.stack([one, other, nearer]))[[1, 2]]
    first = encode(encoder, one[None])[0]
    np.testing.assert_allclose(first, swapped, atol=1e-5)
    assert np.linalg.norm(first - closer) > 0.3


def test_a_hidden_color_stands_at_its_usual_place(fitted):
    encoder, _, _ = fitted
    empty = jnp.asarray(scene([]) / 255, jnp.float32)
    shape, num_pixels = eqx.filter_jit(encoder.colors)(empty)
    assert float(num_pixels.max()) < 0.5
    np.testing.assert_allclose(shape, encoder.colors.usual, atol=0.3)


def test_attention_lies_on_the_object(fitted):
    encoder, _, _ = fitted
    image = jnp.asarray(scene([(10, 6)]) / 255, jnp.float32)
    attention = np.asarray(eqx.filter_jit(encoder.attention)(image)).sum(axis=0)
    inside = attention[5:11, 9:15].sum()
    assert float(inside / attention.sum()) > 0.95
    assert encoder.background_image().shape == (SIDE, SIDE, 3)
    assert np.abs(255 * np.asarray(encoder.background_image()) - TABLE).max() < 8


def test_directions_of_signal_come_before_those_of_noise():
    rng = np.random.default_rng(0)
    spread = np.array([1.0, 0.1, 1.0])
    features = (rng.normal(size=(2000, 3)) * spread).astype(np.float32)
    noise = np.diag([1e-6, 1e-6, 0.5])
    found = find_directions(features, noise, 3)
    latents = (features - found.mean) @ found.matrix
    assert np.abs(np.corrcoef(latents[:, 0], features[:, 0])[0, 1]) > 0.99
    assert latents[:, 0].std() == pytest.approx(1, abs=0.05)
    assert latents[:, 2].std() < 0.1


def test_blank_encoder_has_the_shapes_of_a_fitted_one(fitted):
    encoder, _, _ = fitted
    shapes = [jax.tree.map(jnp.shape, e) for e in (blank_encoder(SIDE, 6), encoder)]
    assert jax.tree.leaves(shapes[0]) == jax.tree.leaves(shapes[1])


def test_images_without_motion_can_be_fitted():
    rng = np.random.default_rng(0)
    images = np.repeat(scene([(4, 4)])[None], 130, axis=0).astype(np.uint8)
    blank = blank_encoder(SIDE, 4).colors
    colors = fit_colors(images, blank, rng=rng)
    assert isinstance(colors, MovingColors)
    encoder = fit_keypoints(images, 4, rng=rng)
    assert np.isfinite(encode(encoder, images)).all()


CONFIG = VAEConfig(
    architecture="quantile_keypoints",
    latent_dim=6,
    likelihood="gaussian",
    num_components=8,
    hidden_size=16,
    batch_size=16,
    num_fit_steps=40,
    learning_rate=0.01,
)


def test_fit_learns_the_log_std_and_keeps_the_rest_of_the_encoder(fitted, key, rng):
    images = fitted[2][:200]
    before = make_vae(CONFIG, images, key=key, rng=rng)
    after = fit(before, images, CONFIG, rng=rng)
    assert (after.encoder.log_std != before.encoder.log_std).all()
    again = eqx.tree_at(lambda e: e.log_std, after.encoder, before.encoder.log_std)
    jax.tree.map(np.testing.assert_array_equal, again, before.encoder)


class NullRecorder(Recorder):
    """A recorder that measures nothing."""

    def __init__(self):
        pass

    def after_fit(self, space, images):
        pass


def test_finetuning_updates_the_log_stds_in_replay_and_keeps_the_goals(fitted, key, rng):
    """Two goals of 99 steps each; places are as they were, but for a rounding."""
    images = fitted[2][:200]
    config = Config(
        vae=CONFIG,
        online=OnlineConfig(every_steps=100, num_fit_steps=3),
        goals=GoalConfig(source="seen"),
    )
    space = make_latent_representation(
        make_vae(CONFIG, images, key=key, rng=rng), images, "seen", -1.0, rng=rng
    )
    replay, encoding = ReplayBuffer(198, 99), space.encode(images)
    actions, goals = np.zeros((198, 2), np.float32), space.imagine(2, rng=rng)
    replay.add(
        Episodes(
            num_steps=np.array([99, 99]),
            actions=actions,
            frames=images,
            encoding=encoding,
            goals=goals,
        )
    )
    policy = Agent(space, new_learner(6, 2, TD3Config(hidden_sizes=(8,)), key=key))
    again = finetune(policy, replay, config, NullRecorder(), rng=rng).representation
    held = replay.mutable_arrays()
    np.testing.assert_array_equal(held["goals"], goals)
    np.testing.assert_array_equal(held["log_stds"], again.encode(images).log_std)
    assert (held["log_stds"] != encoding.log_std).all()
    np.testing.assert_allclose(held["latents"], encoding.latent, atol=1e-5)
