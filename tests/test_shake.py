"""A camera that shakes: how far images are off is found, and put right."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from rig.representation.illumination import DARK
from rig.representation.keypoint_fit import features_of, fit_colors
from rig.representation.quantile_keypoints import blank_encoder
from rig.representation.shake import MIN_SHAKE_PX, offset_of, shaking_px


SIDE = 36
PUCK = (20.0, 60.0, 200.0)
PUCK_PX = 6


def table(rng):
    """Return a table with a soft pattern, and levels that stay far from black and white."""
    pattern = gaussian_filter(rng.normal(size=(SIDE, SIDE, 3)), (1.5, 1.5, 0), mode="wrap")
    return 130 + 25 * pattern / pattern.std()


def with_puck(image, x, y):
    image = image.copy()
    image[y : y + PUCK_PX, x : x + PUCK_PX] = PUCK
    return image


def off_by(image, offset):
    """Return what a camera sees that is off, down and right [pixels]."""
    return shift(image, (*offset, 0), order=1, mode="nearest")


def planes(image):
    return jnp.moveaxis(jnp.log(jnp.asarray(image, jnp.float32) + DARK), -1, 0)


find_offset = eqx.filter_jit(offset_of)


@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.3, 0.0), (0.0, -0.4), (-0.2, 0.5)])
def test_an_image_that_is_off_is_found_behind_an_object(offset):
    still = table(np.random.default_rng(0))
    background = planes(still)
    seen = off_by(with_puck(still, 12, 9), offset)
    found = find_offset(planes(seen) - background, background, jnp.ones((SIDE, SIDE)))
    np.testing.assert_allclose(found, offset, atol=0.08)


def test_a_table_without_edges_tells_nothing():
    flat = planes(np.full((SIDE, SIDE, 3), 130.0))
    seen = planes(with_puck(np.full((SIDE, SIDE, 3), 130.0), 12, 9))
    found = find_offset(seen - flat, flat, jnp.ones((SIDE, SIDE)))
    np.testing.assert_array_equal(found, 0)


def test_only_what_comes_and_goes_is_shaking():
    rng = np.random.default_rng(0)
    shake = rng.normal(0, 0.3, (2000, 2))
    walk = np.cumsum(rng.normal(0, 0.3, (2000, 2)), axis=0)
    assert shaking_px(np.float32(shake)) == pytest.approx(0.3, abs=0.02)
    assert shaking_px(np.float32(walk)) == 0
    assert shaking_px(np.float32(shake * 0.8 * MIN_SHAKE_PX / 0.3)) == 0
    assert shaking_px(np.zeros((1, 2), np.float32)) == 0


def practice(rng, shake, num=300):
    """Return images of a puck that walks; each image is off by itself."""
    still, images = table(np.random.default_rng(0)), []
    place = np.array([12.0, 12.0])
    for _ in range(num):
        place = np.clip(place + rng.normal(0, 1, 2), 1, SIDE - PUCK_PX - 1)
        x, y = place.round().astype(int)
        offset = rng.uniform(-shake, shake, 2)
        images.append(off_by(with_puck(still, x, y), offset))
    noisy = np.array(images) + rng.normal(0, 1, (num, SIDE, SIDE, 3))
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def test_what_a_camera_tells_of_one_scene_hardly_shakes(measured, rng):
    images = practice(rng, shake=0.5)
    colors = fit_colors(images, blank_encoder(SIDE, 4).colors, rng=rng)
    assert float(colors.illumination.shaking_px) > MIN_SHAKE_PX
    still = with_puck(table(np.random.default_rng(0)), 12, 12)
    again = np.stack([off_by(still, rng.uniform(-0.5, 0.5, 2)) for _ in range(100)])
    shaken = eqx.tree_at(lambda c: c.illumination.shaking_px, colors, jnp.zeros(()))
    spread = [features_of(c, np.uint8(again)).std(axis=0) for c in (colors, shaken)]
    steady, loose = map(np.linalg.norm, spread)
    measured("spread of features, of that with shaking", steady / loose, below=0.7)


def test_a_camera_that_stands_still_is_left_alone():
    rng = np.random.default_rng(0)
    images = practice(rng, shake=0.0)
    colors = fit_colors(images, blank_encoder(SIDE, 4).colors, rng=rng)
    light = colors.illumination
    assert float(light.shaking_px) == 0
    ratio = jnp.asarray(rng.normal(size=(3, SIDE, SIDE)), jnp.float32)
    same, offset = eqx.filter_jit(light.steadied)(ratio)
    np.testing.assert_array_equal(same, ratio)
    np.testing.assert_array_equal(offset, 0)
