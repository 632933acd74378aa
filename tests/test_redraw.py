"""The decoder that a run ends with: fitted to what practice has seen."""

import jax
import numpy as np
import pytest

from rig.config import VAEConfig
from rig.representation.fit import fit
from rig.representation.latent import make_latent_representation
from rig.representation.redraw import with_new_decoder
from rig.representation.vae import make_vae


SIDE = 24
CONFIG = VAEConfig(
    architecture="quantile_keypoints",
    likelihood="gaussian",
    latent_dim=6,
    beta=0.1,
    num_components=40,
    hidden_size=32,
    batch_size=32,
    num_fit_steps=200,
)


def squares(num, leftmost, rightmost, *, rng):
    """Return images of a red square at random columns of a grey table with a pattern."""
    images = np.tile(110 + 20 * (np.indices((SIDE, SIDE)).sum(axis=0) % 2), (num, 1, 1))
    images = np.repeat(images[..., None], 3, axis=3).astype(np.uint8)
    for image, column, row in zip(
        images,
        rng.integers(leftmost, rightmost, num),
        rng.integers(0, SIDE - 5, num),
        strict=True,
    ):
        image[row : row + 5, column : column + 5] = (200, 20, 20)
    return images


def error_of(representation, images):
    decoded = representation.decode(representation.encode(images).latent)
    return np.sqrt(np.mean((images.astype(float) - decoded) ** 2))


def test_goals_far_from_where_practice_began_become_readable(rng, key, measured):
    first, seen = squares(300, 0, 8, rng=rng), squares(300, 0, SIDE - 5, rng=rng)
    later = squares(100, 10, SIDE - 5, rng=rng)
    vae = fit(make_vae(CONFIG, first, key=key, rng=rng), first, CONFIG, rng=rng)
    before = make_latent_representation(vae, first, "seen", 0, rng=rng)
    after = with_new_decoder(before, seen, CONFIG, rng=rng)
    np.testing.assert_array_equal(before.encode(later).latent, after.encode(later).latent)
    np.testing.assert_array_equal(before.encode(later).log_std, after.encode(later).log_std)
    measured("error left", error_of(after, later) / error_of(before, later), below=0.8)


@pytest.mark.parametrize("architecture", ["keypoints", "patches"])
def test_latents_that_a_decoder_shaped_keep_theirs(architecture, rng):
    config = VAEConfig(
        architecture=architecture, latent_dim=2, likelihood="gaussian", num_components=5
    )
    images = squares(40, 0, SIDE - 5, rng=rng)
    vae = make_vae(config, images, key=jax.random.key(0), rng=rng)
    before = make_latent_representation(vae, images, "seen", 0, rng=rng)
    assert with_new_decoder(before, images, config, rng=rng) is before
