"""Things: colors that move together, and goals that show things as they were never together."""

from itertools import product

import numpy as np
import pytest
from test_quantile_keypoints import SIDE, TABLE, encode, lit, scene

from rig.representation.keypoint_fit import fit_keypoints
from rig.representation.prior import make_prior, one_thing
from rig.representation.quantile_keypoints import NUM_COLORS
from rig.representation.things import find_parts, group_colors, shapes_of, without_small


COLORS = ((220.0, 40.0, 30.0), (20.0, 60.0, 200.0), (30.0, 150.0, 50.0))
NUM_IMAGES = 300
BAND_PX = SIDE // 3


def places_of(num_things, rng):
    """Return places (x, y) of things in pixels, each in its own band: none hides another."""
    x = rng.integers(1, SIDE - 5, (NUM_IMAGES, num_things))
    y = rng.integers(0, BAND_PX - 3, (NUM_IMAGES, num_things)) + BAND_PX * np.arange(num_things)
    return np.stack([x, y], axis=2)


def drawn(places):
    """Draw a square of each thing's color per image."""
    images = np.stack([scene([]) for _ in places])
    for image, at in zip(images, places, strict=True):
        for (x, y), color in zip(at, COLORS, strict=False):
            image[y : y + 4, x : x + 4] = color
    return images


def fitted(num_things):
    rng = np.random.default_rng(0)
    places = places_of(num_things, rng)
    images = lit(drawn(places), rng, shadow=0)
    encoder = fit_keypoints(images, 12, rng=rng)
    return encoder, find_parts(encoder, images), places


@pytest.fixture(scope="module")
def three_things():
    """Return an encoder, what each thing adds, and the places."""
    return fitted(3)


def visible(places):
    """Return that every color has twenty pixels."""
    return np.full(places.shape[:2], 20.0)


def test_colors_that_predict_each_other_are_one_thing(rng):
    hand, puck = rng.normal(size=(2, 400, 1, 2))
    edge = 0.5 * hand + 0.1 * rng.normal(size=(400, 1, 2))
    places = np.concatenate([hand, puck, edge, -puck], axis=1)
    assert group_colors(places, visible(places)).tolist() == [0, 1, 0, 1]


def test_an_arm_that_leaves_the_image_belongs_to_its_hand(rng):
    """Where it is not visible, a color stands at its usual place, whatever the hand does."""
    hand, puck = rng.normal(size=(2, 400, 1, 2))
    arm = 0.5 * hand + 0.1 * rng.normal(size=(400, 1, 2))
    is_gone = hand[:, :, :1] < 0.7
    usual = arm[~is_gone[:, 0, 0]].mean(axis=0)
    places = np.concatenate([hand, puck, np.where(is_gone, usual, arm)], axis=1)
    pixels = visible(places)
    assert group_colors(places, pixels).tolist() == [0, 1, 2]
    pixels[:, 2] = np.where(is_gone[:, 0, 0], 0, pixels[:, 2])
    assert group_colors(places, pixels).tolist() == [0, 1, 0]


def test_what_never_moves_is_a_thing_by_itself(rng):
    places = np.concatenate([rng.normal(size=(40, 1, 2)), np.zeros((40, 1, 2))], axis=1)
    assert group_colors(places, visible(places)).tolist() == [0, 1]


def test_what_all_things_add_is_the_latent(three_things):
    _, parts, _ = three_things
    np.testing.assert_allclose(parts.sum(axis=0), np.eye(12), atol=1e-3)
    assert len(parts) == NUM_COLORS


def test_latents_of_things_never_seen_together_are_those_of_their_image(three_things):
    encoder, parts, places = three_things
    latents = encode(encoder, drawn(places))
    other_places, others = np.roll(places, 1, axis=0), np.roll(latents, 1, axis=0)
    other_places[:, :2] = places[:, :2]
    truth = encode(encoder, drawn(other_places))
    moved = [latents + (others - latents) @ part for part in parts if part.any()]
    error = [np.linalg.norm(each - truth, axis=1).mean() for each in moved]
    apart = np.linalg.norm(latents - truth, axis=1).mean()
    assert len(moved) >= 3
    assert min(error) < 0.3 * apart


def test_goals_keep_a_hand_and_one_object_together(rng):
    encoder, parts, places = fitted(2)
    seen = encode(encoder, drawn(places))
    assert parts.any(axis=(1, 2)).sum() == 2
    draws = make_prior("composed", seen, -1.0, parts, rng=rng).sample(99, rng=rng)
    assert {tuple(draw) for draw in draws} <= {tuple(row) for row in seen}


def test_composed_goals_draw_each_thing_by_itself(rng):
    parts = np.zeros((NUM_COLORS, 3, 3), np.float32)
    parts[0, 0, 0] = parts[3, 1, 1] = parts[5, 2, 2] = 1
    seen = np.array([[0, 0, 0], [1, 1, 1]], np.float32)
    prior = make_prior("composed", seen, -1.0, parts, rng=rng)
    draws = prior.sample(200, rng=rng)
    assert {tuple(draw) for draw in draws} == set(product((0, 1), repeat=3))
    assert draws.dtype == np.float32


def test_a_thing_that_rarely_moves_is_drawn_as_moved(rng):
    seen = np.zeros((1000, 3), np.float32)
    seen[:, 0] = np.linspace(0, 10, 1000)
    seen[:20, 1] = 10
    parts = np.zeros((NUM_COLORS, 3, 3), np.float32)
    parts[0, 0, 0] = parts[1, 1, 1] = parts[2, 2, 2] = 1
    draws = make_prior("composed", seen, -1.0, parts, rng=rng).sample(2000, rng=rng)
    is_moved = draws[:, 1] > 5
    assert 0.35 < is_moved.mean() < 0.65
    assert np.corrcoef(draws[:, :2].T)[0, 1] == pytest.approx(0, abs=0.1)


def test_latents_that_are_not_taken_apart_are_those_seen(rng):
    seen = rng.normal(size=(30, 3)).astype(np.float32)
    prior = make_prior("composed", seen, -1.0, rng=rng)
    assert np.array_equal(prior.parts, one_thing(3))
    assert {tuple(draw) for draw in prior.sample(99, rng=rng)} <= {tuple(row) for row in seen}


def test_colors_of_noise_are_no_things():
    """Without the rule, two colors of this noise are things of their own."""
    rng = np.random.default_rng(0)
    images = drawn(places_of(1, rng))
    is_table = (images == np.array(TABLE, np.float32)).all(axis=3, keepdims=True)
    images = np.where(is_table, rng.integers(60, 200, (SIDE, SIDE, 3)), images)
    images = np.clip(images + rng.normal(0, 6, images.shape), 0, 255).astype(np.uint8)
    encoder = fit_keypoints(images, 12, rng=rng)
    np.testing.assert_array_equal(find_parts(encoder, images), one_thing(12))
    shape, num_pixels = shapes_of(encoder, images)
    thing = group_colors(shape[..., :2], num_pixels)
    assert len(set(without_small(encoder, shape, thing))) == 1
