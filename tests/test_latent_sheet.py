import numpy as np

from rig.report.latent_traversals import NUM_SWEPT, sweeps
from rig.representation.latent import LatentRepresentation


class ShownSpace(LatentRepresentation):
    """Decodes a latent to a picture whose first three numbers are ten times its own."""

    def __init__(self, weight):
        self.weight = np.array(weight, np.float32)

    def decode(self, latents):
        return np.round(10 * latents).astype(np.uint8).reshape(-1, 1, 1, 3)


LATENTS = np.array([[1, 4, 7], [3, 8, 7]], np.float32)


def test_each_latent_that_counts_is_swept_and_the_others_stay():
    rows = sweeps(ShownSpace([1.0, 0.5, 0.01]), LATENTS)
    assert list(rows) == ["latent 0, weight 1.00", "latent 1, weight 0.50"]
    swept = rows["latent 1, weight 0.50"].reshape(NUM_SWEPT, 3)
    np.testing.assert_array_equal(swept[:, 1], [20, 30, 40, 50, 60, 70, 80, 90, 100])
    assert (swept[:, [0, 2]] == [20, 70]).all()


def test_the_heaviest_is_shown_where_none_counts():
    assert list(sweeps(ShownSpace([0.01, 0.03, 0.02]), LATENTS)) == ["latent 1, weight 0.03"]
