import numpy as np
import pytest

from rig.representation.color_clusters import cluster


SIDE = 24
RED, GREEN, BLUE, GREY = (200, 20, 20), (20, 180, 20), (20, 60, 220), (120, 120, 120)


@pytest.fixture(scope="module")
def moved():
    """The pixels of some images, and how much each differs from the mean image.

    A red bar moves through all images, a blue dot, a fifth of the bar's size, through every
    other one, and a green square stands still.
    """
    rng = np.random.default_rng(0)
    images = np.full((200, SIDE, SIDE, 3), GREY, np.float32)
    for index, image in enumerate(images):
        left = rng.integers(0, 12)
        image[:10, left : left + 8] = RED
        if index % 2 == 0:
            down, right = rng.integers(12, 20, size=2)
            image[down : down + 4, right : right + 4] = BLUE
        image[20:24, :4] = GREEN
    images /= 255
    changes = ((images - images.mean(axis=0)) ** 2).sum(axis=-1)
    return images.reshape(-1, 3), changes.reshape(-1)


def nearest(colors, wanted):
    """How far the color nearest to the wanted one is from it, in 0 .. 255."""
    return np.linalg.norm(255 * colors - np.float32(wanted), axis=1).min()


LONG = [pytest.mark.slow, pytest.mark.ci]
SEEDS = [0, 1, *(pytest.param(seed, marks=LONG) for seed in range(2, 10))]


@pytest.mark.parametrize("seed", SEEDS)
def test_small_moving_objects_get_a_color_and_still_ones_get_none(moved, seed, measured):
    colors = cluster(*moved, 6, rng=np.random.default_rng(seed))
    measured("from red", nearest(colors, RED), below=15)
    measured("from blue", nearest(colors, BLUE), below=15)
    measured("from green", nearest(colors, GREEN), above=60)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_color_is_a_mixture_that_no_pixel_has(moved, seed, measured):
    colors = 255 * cluster(*moved, 6, rng=np.random.default_rng(seed))
    real = np.float32([RED, BLUE, GREEN, GREY])
    nearest_real = np.linalg.norm(colors[:, None] - real, axis=2).min(axis=1)
    measured("from a real color", nearest_real.max(), below=15)


def test_other_seeds_find_the_same_colors(rng):
    """Colors as of PushT: large and small, near each other and far apart."""
    colors = np.float32([
        (84, 127, 249), (137, 159, 176), (150, 170, 190), (156, 241, 158),
        (159, 181, 246), (192, 202, 211), (224, 232, 238), (255, 255, 255),
    ])  # fmt: skip
    shares = np.array([3, 13, 26, 4, 1, 7, 7, 39]) / 100
    pixels = colors[rng.choice(8, size=20_000, p=shares)] + 4 * rng.standard_normal((20_000, 3))
    pixels = (pixels / 255).astype(np.float32)
    for seed in range(10):
        found = cluster(pixels, np.ones(20_000, np.float32), 8, rng=np.random.default_rng(seed))
        assert max(nearest(found, color) for color in colors) < 3  # 46 where one is missed


def test_same_seed_finds_the_same_colors(moved):
    first, second = (cluster(*moved, 4, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_more_colors_than_there_are_can_be_found(rng):
    pixels = np.full((300, 3), np.float32(GREY) / 255)
    colors = cluster(pixels, np.ones(300, np.float32), 4, rng=rng)
    np.testing.assert_allclose(255 * colors, [GREY] * 4, atol=0.1)
