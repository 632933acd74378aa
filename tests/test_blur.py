import jax.numpy as jnp
import numpy as np
import pytest

from rig.representation.blur import blur, blur_matrix, blur_stages


pytestmark = pytest.mark.usefixtures("strict")


@pytest.mark.parametrize("sigma_px", [0.0, 1.0, 12.0])
def test_rows_of_a_blur_sum_to_one(sigma_px):
    np.testing.assert_allclose(blur_matrix(sigma_px, 48).sum(axis=1), 1, rtol=1e-5)


def test_no_blur_is_the_identity():
    np.testing.assert_array_equal(blur_matrix(0.0, 5), np.eye(5))


@pytest.mark.parametrize(("size", "one_sigma"), [(48, 2), (24, 1), (96, 4)])
def test_blur_is_gaussian_and_as_wide_at_every_image_size(size, one_sigma):
    row = blur_matrix(2.0, size)[size // 2]
    assert row[size // 2 + one_sigma] / row[size // 2] == pytest.approx(np.exp(-0.5), rel=1e-5)


def test_blur_leaves_a_grey_image_grey():
    image = jnp.full((12, 12, 3), 0.4)
    np.testing.assert_allclose(blur(image, blur_matrix(6.0, 12)), image, rtol=1e-5)


def test_blur_spreads_a_dot_by_the_matrix_along_both_axes():
    image = jnp.zeros((12, 12, 3)).at[3, 8, 1].set(1.0)
    matrix = blur_matrix(9.0, 12)
    blurred = blur(image, matrix)
    np.testing.assert_allclose(blurred[2, 6, 1], matrix[2, 3] * matrix[6, 8], rtol=1e-5)
    assert blurred[..., [0, 2]].sum() == 0


def test_three_quarters_of_the_steps_are_blurred_in_equal_shares():
    assert blur_stages(800, (9.0, 4.0)) == [(9.0, 300), (4.0, 300), (0.0, 200)]


@pytest.mark.parametrize("num_steps", [0, 1, 7, 1001])
def test_stages_add_up_to_all_the_steps(num_steps):
    stages = blur_stages(num_steps, (9.0, 4.0, 2.0))
    assert sum(num for _, num in stages) == num_steps
    assert stages[-1][0] == 0


def test_without_blur_there_is_one_sharp_stage():
    assert blur_stages(70, ()) == [(0.0, 70)]
