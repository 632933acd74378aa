import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rig.representation.output_basis import PatchBasis, principal_basis


pytestmark = pytest.mark.usefixtures("strict")
SIDE = 12


@pytest.fixture
def images(rng):
    return rng.integers(256, size=(30, SIDE, SIDE, 3), dtype=np.uint8)


def as_float(images):
    return jnp.asarray(images, jnp.float32) / 255


def test_patch_basis_reconstructs_the_image(images):
    output_basis, image = PatchBasis(), as_float(images[0])
    np.testing.assert_array_equal(
        output_basis.reconstruct(output_basis.project(image)) + output_basis.background, image
    )


def test_principal_directions_are_orthonormal(images, rng):
    basis = principal_basis(images, 20, rng=rng).basis
    np.testing.assert_allclose(basis.T @ basis, np.eye(20), atol=1e-5)


@pytest.mark.parametrize("num_images", [2, 6, 20])
def test_as_many_components_as_images_reconstruct_the_images(num_images, images, rng):
    output_basis = principal_basis(images[:num_images], 20, rng=rng)
    for image in as_float(images[:num_images]):
        reconstructed = (
            output_basis.reconstruct(output_basis.project(image)) + output_basis.background
        )
        np.testing.assert_allclose(reconstructed, image, atol=1e-4)


def test_components_keep_the_squared_error(images, rng):
    output_basis = principal_basis(images, 30, rng=rng)
    first, second = as_float(images[0]), as_float(images[1])
    projected = jnp.sum((output_basis.project(first) - output_basis.project(second)) ** 2)
    np.testing.assert_allclose(projected, jnp.sum((first - second) ** 2), rtol=1e-4)


def test_components_are_in_order_of_their_variance(images, rng, measured):
    output_basis = principal_basis(images, 20, rng=rng)
    variance = jax.vmap(output_basis.project)(as_float(images)).var(axis=0)
    assert (np.diff(variance) < 1e-3).all()
    measured("first over last", variance[0] / variance[-1], above=1.2)


def test_one_changing_pixel_is_the_only_component(rng):
    images = np.full((10, SIDE, SIDE, 3), 100, np.uint8)
    images[:, 5, 7, 2] = 20 * np.arange(10)
    output_basis = principal_basis(images, 1, rng=rng)
    direction = np.abs(output_basis.basis).reshape(SIDE, SIDE, 3)
    np.testing.assert_allclose(direction[5, 7, 2], 1, atol=1e-5)
    np.testing.assert_allclose(direction.sum(), 1, atol=1e-3)
    np.testing.assert_allclose(
        output_basis.background[5, 7], [100 / 255, 100 / 255, 0], atol=1e-4
    )
