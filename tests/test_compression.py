"""Compression: noticed by its halos, and done again on another grid of blocks."""

import io

import numpy as np
import pytest
from PIL import Image

from rig.representation import keypoint_fit
from rig.representation.compression import BLOCK_PX, are_compressed, compress
from rig.representation.keypoint_fit import fit_colors, noise_covariance
from rig.representation.quantile_keypoints import blank_encoder


SIDE = 48


def deviations(quality, num=40, noise=0.0):
    """Return squared deviations of images of a blue square on a table, saved as JPEG or not."""
    rng = np.random.default_rng(0)
    table = np.full((SIDE, SIDE, 3), (150, 130, 100), np.uint8)
    squared = []
    for x, y in rng.integers(4, SIDE - 12, (num, 2)):
        image = table.copy()
        image[y : y + 8, x : x + 8] = (20, 60, 200)
        noisy = image + rng.normal(0, noise, image.shape) if noise else image
        seen = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        if quality:
            file = io.BytesIO()
            Image.fromarray(seen).save(file, "JPEG", quality=quality)
            seen = np.asarray(Image.open(file))
        difference = seen.astype(np.float32) - table
        squared.append((difference**2).sum(axis=-1) / max(noise, 2) ** 2)
    return np.stack(squared)


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_compression_is_noticed(quality):
    assert are_compressed(deviations(quality))


@pytest.mark.parametrize("noise", [0, 2, 6])
def test_noise_is_no_compression(noise):
    assert not are_compressed(deviations(0, noise=noise))


@pytest.mark.parametrize("width_px", [1, 2, 4])
def test_soft_edges_are_no_compression(width_px):
    """Discs whose edge is drawn over some pixels, as by a lens or a renderer."""
    places = np.random.default_rng(0).uniform(10, SIDE - 10, (40, 2))
    down, right = np.mgrid[0:SIDE, 0:SIDE]
    from_edge = [7 - np.hypot(right - x, down - y) for x, y in places]
    share = np.clip(np.stack(from_edge) / width_px + 0.5, 0, 1)
    assert not are_compressed(np.float32(7000 * share**2))


def test_where_nothing_moves_nothing_is_noticed():
    assert not are_compressed(np.zeros((10, SIDE, SIDE), np.float32))


def test_compressing_again_differs_by_the_grid_and_a_little():
    rng = np.random.default_rng(0)
    image = np.full((SIDE, SIDE, 3), (150, 130, 100), np.uint8)
    image[17:25, 13:21] = (20, 60, 200)
    images = np.stack([image] * 20)
    shown = compress(images, rng=rng)
    assert shown.shape == images.shape
    assert shown.dtype == np.uint8
    assert (shown[0] != shown[1]).any()
    far = np.ones((SIDE, SIDE), bool)
    far[17 - BLOCK_PX : 25 + BLOCK_PX, 0 : 21 + BLOCK_PX] = False
    off = np.abs(shown.astype(int) - images)
    assert off[:, far].max() <= 3
    assert off[:, 19:23, 15:19].mean() < 25
    assert off[:, 17:25, 13:21].max() > 3


def test_the_same_rng_gives_the_same_images():
    images = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.uint8)
    one, other = (compress(images, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("is_saved", [False, True])
def test_scenes_are_compressed_again_if_images_were(is_saved, monkeypatch):
    """Both views of each scene, from which the covariance of noise comes."""
    rng = np.random.default_rng(0)
    places = rng.integers(4, SIDE - 12, (200, 2))
    images = np.full((200, SIDE, SIDE, 3), (150, 130, 100), np.uint8)
    for image, (x, y) in zip(images, places, strict=True):
        image[y : y + 8, x : x + 8] = (20, 60, 200)
    images = compress(images, rng=rng) if is_saved else images
    colors = fit_colors(images, blank_encoder(SIDE, 4).colors, rng=rng)
    calls = []

    def counted(again, *, rng):
        calls.append(len(again))
        return compress(again, rng=rng)

    monkeypatch.setattr(keypoint_fit, "compress", counted)
    assert np.isfinite(noise_covariance(colors, images, rng=rng)).all()
    assert calls == [200, 200] * is_saved
