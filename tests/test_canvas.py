import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.latent.canvas import PatchCanvas, principal_canvas


pytestmark = pytest.mark.usefixtures("strict")
SIDE = 12


@pytest.fixture
def images(rng):
    return rng.integers(256, size=(30, SIDE, SIDE, 3), dtype=np.uint8)


def as_float(images):
    return jnp.asarray(images, jnp.float32) / 255


def test_patch_canvas_shows_what_was_put_on_it(images):
    canvas, image = PatchCanvas(), as_float(images[0])
    np.testing.assert_array_equal(canvas.show(canvas.put(image)) + canvas.background, image)


def test_principal_directions_are_orthonormal(images, rng):
    basis = principal_canvas(images, 20, rng=rng).basis
    np.testing.assert_allclose(basis.T @ basis, np.eye(20), atol=1e-5)


@pytest.mark.parametrize("num_images", [2, 6, 20])
def test_as_many_components_as_images_keep_the_images(num_images, images, rng):
    canvas = principal_canvas(images[:num_images], 20, rng=rng)
    for image in as_float(images[:num_images]):
        shown = canvas.show(canvas.put(image)) + canvas.background
        np.testing.assert_allclose(shown, image, atol=1e-4)


def test_components_keep_the_squared_error(images, rng):
    canvas = principal_canvas(images, 30, rng=rng)
    first, second = as_float(images[0]), as_float(images[1])
    on_canvas = jnp.sum((canvas.put(first) - canvas.put(second)) ** 2)
    np.testing.assert_allclose(on_canvas, jnp.sum((first - second) ** 2), rtol=1e-4)


def test_components_come_by_how_much_images_differ_along_them(images, rng, measured):
    canvas = principal_canvas(images, 20, rng=rng)
    variance = jax.vmap(canvas.put)(as_float(images)).var(axis=0)
    assert (np.diff(variance) < 1e-3).all()
    measured("first over last", variance[0] / variance[-1], above=1.2)


def test_one_changing_pixel_is_the_one_direction(rng):
    images = np.full((10, SIDE, SIDE, 3), 100, np.uint8)
    images[:, 5, 7, 2] = 20 * np.arange(10)
    canvas = principal_canvas(images, 1, rng=rng)
    direction = np.abs(canvas.basis).reshape(SIDE, SIDE, 3)
    np.testing.assert_allclose(direction[5, 7, 2], 1, atol=1e-5)
    np.testing.assert_allclose(direction.sum(), 1, atol=1e-3)
    np.testing.assert_allclose(canvas.background[5, 7], [100 / 255, 100 / 255, 0], atol=1e-4)
