import numpy as np
from PIL import Image

from rig.report.image_grid import (
    GAP_PX,
    IMAGE_PX,
    MARGIN_PX,
    draw_image_grid,
    enlarged,
    save_image_grid,
)


def images_of(*greys, size=48):
    return np.stack([np.full((size, size, 3), grey, np.uint8) for grey in greys])


def greys_in(grid, y):
    """The runs of grey values along a row of pixels, without white."""
    row = np.asarray(grid)[y, :, 0]
    return [
        int(row[start])
        for start in np.flatnonzero(np.diff(row, prepend=255))
        if row[start] < 255
    ]


def test_each_row_shows_its_images_in_order():
    grid = draw_image_grid([("", images_of(10, 20, 30)), ("", images_of(110, 120))], "")
    assert greys_in(grid, MARGIN_PX) == [10, 20, 30]
    assert greys_in(grid, MARGIN_PX + IMAGE_PX + GAP_PX) == [110, 120]


def test_grid_is_as_large_as_what_it_shows():
    grid = draw_image_grid([("", images_of(1, 2))], "")
    assert grid.size == (2 * MARGIN_PX + 2 * IMAGE_PX + GAP_PX, 2 * MARGIN_PX + IMAGE_PX)


def test_labels_stand_left_of_the_images():
    bare = draw_image_grid([("", images_of(1))], "")
    labelled = draw_image_grid([("reconstruction", images_of(1))], "")
    assert labelled.width > bare.width + 60
    assert np.asarray(labelled)[:, : labelled.width - IMAGE_PX - MARGIN_PX].min() < 200


def test_enlarging_repeats_every_pixel():
    image = np.arange(84 * 84 * 3, dtype=np.uint32).reshape(84, 84, 3).astype(np.uint8)
    large = np.asarray(enlarged(image))
    assert large.shape == (168, 168, 3)
    for corner in (large[::2, ::2], large[1::2, 1::2]):
        np.testing.assert_array_equal(corner, image)


def test_saved_grid_is_a_png(tmp_path):
    save_image_grid(
        tmp_path / "grid.png", {"goal": images_of(5), "reached": images_of(6)}, "Title"
    )
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.format == "PNG"
