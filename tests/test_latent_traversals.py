import numpy as np

from rig.report.latent_traversals import NUM_IMAGES, latent_traversals
from rig.representation.latent import LatentRepresentation


class ScaledRepresentation(LatentRepresentation):
    """Decodes a latent to an image of one pixel, with ten times the latent as its colour."""

    def __init__(self, weight):
        self.weight = np.array(weight, np.float32)

    def decode(self, latents):
        return np.round(10 * latents).astype(np.uint8).reshape(-1, 1, 1, 3)


LATENTS = np.array([[1, 4, 7], [3, 8, 7]], np.float32)


def test_each_latent_that_counts_is_traversed_and_the_others_stay():
    rows = latent_traversals(ScaledRepresentation([1.0, 0.5, 0.01]), LATENTS)
    assert list(rows) == ["latent 0, weight 1.00", "latent 1, weight 0.50"]
    traversed = rows["latent 1, weight 0.50"].reshape(NUM_IMAGES, 3)
    np.testing.assert_array_equal(traversed[:, 1], [20, 30, 40, 50, 60, 70, 80, 90, 100])
    assert (traversed[:, [0, 2]] == [20, 70]).all()


def test_the_latent_of_most_weight_is_shown_where_none_counts():
    assert list(latent_traversals(ScaledRepresentation([0.01, 0.03, 0.02]), LATENTS)) == [
        "latent 1, weight 0.03"
    ]
