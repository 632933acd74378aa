import io

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rig.envs.square_crop import crop_square
from rig.errors import ImageError
from rig.goals import photograph
from rig.goals.goal_image import GOAL_STATE_KEY, read_goal_image, save_goal_image
from rig.report.image_grid import enlarged


SIZE = 48
LEFT_RGB, RIGHT_RGB = (200, 40, 80), (20, 160, 240)
"""An image of two halves, which shows a turn or a crop."""


def halves(width=SIZE, height=SIZE):
    array = np.empty((height, width, 3), np.uint8)
    array[:, : width // 2], array[:, width // 2 :] = LEFT_RGB, RIGHT_RGB
    return Image.fromarray(array)


def read(path, image, size=SIZE, **options):
    image.save(path, **options)
    return read_goal_image(path, size)


def test_camera_image_comes_back_byte_for_byte(tmp_path):
    image = np.random.default_rng(0).integers(256, size=(SIZE, SIZE, 3)).astype(np.uint8)
    goal = read(tmp_path / "goal.png", Image.fromarray(image))
    np.testing.assert_array_equal(goal.image, image)
    assert goal.changes == ()


def test_enlarged_camera_image_comes_back_byte_for_byte(tmp_path):
    image = np.random.default_rng(0).integers(256, size=(SIZE, SIZE, 3)).astype(np.uint8)
    goal = read(tmp_path / "goal.png", enlarged(image, 5 * SIZE))
    np.testing.assert_array_equal(goal.image, image)
    assert goal.changes == ("resized 240 x 240 to 48 x 48",)


@pytest.mark.parametrize("size", [48, 84])
@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (640, 480), (84, 84), (47, 49)])
def test_any_size_becomes_the_cameras(tmp_path, shape, size):
    goal = read(tmp_path / "goal.png", halves(*shape), size)
    assert goal.image.shape == (size, size, 3)
    assert goal.image.dtype == np.uint8


def test_wide_image_keeps_its_middle(tmp_path):
    goal = read(tmp_path / "goal.png", halves(3 * SIZE, SIZE))
    np.testing.assert_array_equal(goal.image, np.asarray(halves()))


@pytest.mark.parametrize(
    "image",
    [halves(), halves().convert("RGBA"), halves().quantize(4)],
    ids=["RGB", "RGBA", "P"],
)
def test_colours_survive_the_mode(tmp_path, image):
    goal = read(tmp_path / "goal.png", image)
    assert tuple(goal.image[0, 0]) == LEFT_RGB
    assert tuple(goal.image[-1, -1]) == RIGHT_RGB


def test_cmyk_image_is_read(tmp_path):
    goal = read(tmp_path / "goal.jpg", halves().convert("CMYK"), quality=95)
    np.testing.assert_allclose(goal.image[5, 5], LEFT_RGB, atol=12)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_grey_becomes_equal_channels(tmp_path, mode):
    image = read(tmp_path / "goal.png", halves().convert(mode)).image
    np.testing.assert_array_equal(image[..., 0], image[..., 2])
    assert image[0, 0, 0] != image[0, -1, 0] or mode == "1"


def test_transparency_becomes_white(tmp_path):
    image = halves().convert("RGBA")
    image.putalpha(0)
    assert read(tmp_path / "goal.png", image).image.min() == 255


def test_transparent_colour_of_a_palette_becomes_white(tmp_path):
    image = Image.new("P", (SIZE, SIZE), 0)
    image.putpalette([10, 20, 30] * 256)
    goal = read(tmp_path / "goal.gif", image, transparency=0)
    assert goal.image.min() == 255


def test_deep_grey_keeps_its_brightness(tmp_path):
    deep = np.full((SIZE, SIZE), 40 * 257, np.uint16)
    goal = read(tmp_path / "goal.png", Image.fromarray(deep))
    assert np.unique(goal.image).tolist() == [40]


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_float_grey_keeps_its_brightness(tmp_path, white):
    grey = np.full((SIZE, SIZE), 0.4 * white, np.float32)
    grey[0, 0] = white
    goal = read(tmp_path / "goal.tiff", Image.fromarray(grey))
    assert goal.image[9, 9].tolist() == [102, 102, 102]


def test_exif_rotation_is_undone(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn by a quarter, clockwise: what was at the left is then at the top.
    goal = read(tmp_path / "goal.png", halves(), exif=exif)
    assert tuple(goal.image[0, -1]) == LEFT_RGB
    assert tuple(goal.image[-1, 0]) == RIGHT_RGB
    assert goal.changes == ("turned it as its EXIF tag says",)


def test_first_frame_of_an_animation_is_taken(tmp_path):
    second = Image.new("RGB", (SIZE, SIZE), "white")
    options = {"save_all": True, "append_images": [second]}
    goal = read(tmp_path / "goal.gif", halves(), **options)
    np.testing.assert_allclose(goal.image[5, 5], LEFT_RGB, atol=4)
    assert "took its first frame" in goal.changes


def test_true_state_travels_in_the_image(tmp_path):
    save_goal_image(tmp_path / "goal.png", halves(), "rig/Push-v0", [0.1, 0.2, 0.3, 0.4])
    goal = read_goal_image(tmp_path / "goal.png", SIZE)
    assert goal.task == "rig/Push-v0"
    assert goal.state.tolist() == [0.1, 0.2, 0.3, 0.4]


def test_image_of_unknown_origin_has_no_state(tmp_path):
    goal = read(tmp_path / "goal.png", halves())
    assert goal.task is None
    assert goal.state is None


@pytest.mark.parametrize(
    "state", ["0.5", "null", "[[0.1, 0.2]]", "{}", "[" * 100_000, '[0.1], "seed": -1']
)
def test_state_that_is_no_row_of_numbers_is_no_state(tmp_path, state):
    chunks = PngInfo()
    chunks.add_text(GOAL_STATE_KEY, f'{{"task": "rig/Push-v0", "state": {state}}}')
    goal = read(tmp_path / "goal.png", halves(), pnginfo=chunks)
    assert (goal.task, goal.state, goal.seed) == (None, None, 0)


def png_bytes():
    file = io.BytesIO()
    halves(400, 400).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"no image\n" * 99, png_bytes()[:-900], png_bytes()[:60]]
)
def test_unreadable_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / "goal.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"goal\.png can't be read as an image"):
        read_goal_image(path, SIZE)


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_photograph_of_108_megapixels_is_read(tmp_path, kind):
    grey = Image.new("L", (12_000, 9000), 60)
    grey.paste(200, (6000, 0, 12_000, 9000))
    options = {"quality": 80} if kind == "jpg" else {"compress_level": 1}
    goal = read(tmp_path / f"goal.{kind}", grey, **options)
    assert goal.image[:, [0, -1], 0].tolist() == [[60, 200]] * SIZE
    assert "cropped 12000 x 9000 to its middle square" in goal.changes


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "I;16", "F", "1"])
def test_large_image_is_reduced_in_bands_to_the_same_image(tmp_path, monkeypatch, mode):
    image = halves(288, 192).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    whole = read(tmp_path / "goal.tiff", image)
    monkeypatch.setattr(photograph, "REDUCED_PX", SIZE)
    monkeypatch.setattr(photograph, "BAND_PX", 20)
    small = read_goal_image(tmp_path / "goal.tiff", SIZE)
    assert small.changes == whole.changes
    np.testing.assert_allclose(small.image, whole.image, atol=1)


def test_large_photograph_is_turned_as_its_exif_tag_says(tmp_path, monkeypatch):
    monkeypatch.setattr(photograph, "REDUCED_PX", 50)
    exif = Image.Exif()
    exif[0x0112] = 6
    goal = read(tmp_path / "goal.jpg", halves(400, 300), exif=exif)
    np.testing.assert_allclose(goal.image[5, 20], LEFT_RGB, atol=9)
    assert "cropped 300 x 400 to its middle square" in goal.changes


@pytest.mark.parametrize(
    ("limit", "options"),
    [
        ("MAX_PIXELS", {}),
        ("FORMAT_LIMITS", {}),
        ("MAX_COEFFICIENT_BYTES", {"progressive": True}),
    ],
)
def test_decompression_bomb_is_refused(tmp_path, monkeypatch, limit, options):
    few = {"JPEG": 1000} if limit == "FORMAT_LIMITS" else 1000
    monkeypatch.setattr(photograph, limit, few)
    halves().save(tmp_path / "goal.jpg", **options)
    usual_limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageError, match="is too large to decode"):
        read_goal_image(tmp_path / "goal.jpg", SIZE)
    assert usual_limit == Image.MAX_IMAGE_PIXELS


def test_formats_whose_decoder_takes_more_memory_keep_the_usual_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert read(tmp_path / "goal.png", halves()).image.shape == (SIZE, SIZE, 3)
    with pytest.raises(ImageError, match="megapixels of WEBP"):
        read(tmp_path / "goal.webp", halves())


def test_missing_file_and_directory_are_refused(tmp_path):
    for path in (tmp_path / "nowhere.png", tmp_path):
        with pytest.raises(ImageError, match="is not a file"):
            read_goal_image(path, SIZE)


@pytest.mark.parametrize("side", [48, 60])
def test_square_crop_shares_nothing_with_the_image(side):
    image = np.full((side, side, 3), 9, np.uint8)
    crop_square(image, 48)[:] = 0
    assert image.min() == 9
